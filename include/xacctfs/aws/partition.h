/*
 * aws/partition: which DNS suffix a region's endpoints have.
 * Source: AWS General Reference, "AWS service endpoints"; botocore's partitions.
 */
#ifndef XACCTFS_AWS_PARTITION_H
#define XACCTFS_AWS_PARTITION_H

/* "amazonaws.com", or that of the partition which the region's name belongs to. Constant. */
const char *aws_dns_suffix(const char *region);

#endif
