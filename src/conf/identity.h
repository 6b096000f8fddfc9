/*
 * conf/identity: from the role that is wanted back to the keys that everything begins with.
 */
#ifndef CONF_IDENTITY_H
#define CONF_IDENTITY_H

#include "load.h"
#include "xacctfs/conf/conf.h"

/*
 * Fills conf's identity and roles; conf->sts_endpoint_url must be there already. Returns 0, -EINVAL
 * with *ret_why, -ENOMEM; conf is to be deinitialised in any case.
 */
int conf_identity_resolve(const struct conf_load *load, struct conf *conf, char **ret_why);

#endif
