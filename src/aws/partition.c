#include "xacctfs/aws/partition.h"

#include <string.h>

#include "xacctfs/util/cleanup.h"

const char *aws_dns_suffix(const char *region)
{
	static const struct {
		const char *prefix, *suffix;
	} partitions[] = {
	    {"cn-", "amazonaws.com.cn"},    {"us-iso-", "c2s.ic.gov"},
	    {"us-isob-", "sc2s.sgov.gov"},  {"us-isof-", "csp.hci.ic.gov"},
	    {"eu-isoe-", "cloud.adc-e.uk"}, {"eusc-", "amazonaws.eu"},
	};

	for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
		if (!strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)))
			return partitions[i].suffix;
	return "amazonaws.com";
}
