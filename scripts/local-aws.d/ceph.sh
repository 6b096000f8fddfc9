# ceph.sh: one monitor, one OSD in memory, one RADOS Gateway, all on loopback. Sourced by local-aws.
#
#   ceph_up       starts them on ports base+1 (S3), base+2 (mon), base+3... (OSD) with data in $dir/ceph, makes accounts A and B
#   ceph_down     stops them: a process is ours when its command line names our cluster's id
#   ceph_enter CMD...   runs CMD in the Ceph folder, seeing $dir/ceph as /mnt; radosgw_admin ARGS... is short for one such
#
# Needs radosgw 19 or newer (accounts); 20.2.4 was tried. ceph_processes, ceph_account_id: as moto.sh has them.
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

# A private mount namespace: nothing is left mounted, and several runs share one folder. The folder is read-only.
ceph_enter() {
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount bash -euc '
        root=$1 data=$2; shift 2
        unset TMPDIR
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        mount --bind "$data" "$root/mnt"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs tmpfs "$root/run"
        exec chroot "$root" "$@"
    ' ceph_enter "$ceph_root" "$dir/ceph" "$@"
}

ceph_processes() { printf '%s\n' ceph/run/{client.rgw,osd.0,mon.a}; }

ceph_account_id() { echo "RGW$(random_chars 0-9 17)"; }

radosgw_admin() { ceph_enter radosgw-admin -c /mnt/ceph.conf "$@"; }

ceph_up() {
    mkdir -p "$dir/ceph/mon" "$dir/ceph/osd" "$dir/ceph/run"
    ceph_conf >"$dir/ceph/ceph.conf"
    # The body runs inside as one script: entering once per command would cost more than the commands.
    ceph_enter env FSID="$FSID" MON="127.0.0.1:$((BASE_PORT + 2))" REGION="$REGION" \
        bash -euc "$(declare -f ceph_start_inside); ceph_start_inside" >>"$dir/ceph/run/start.log" 2>&1 9<&- ||
        return 1
    wait_for "radosgw" answers "http://127.0.0.1:$((BASE_PORT + 1))/" || return 1
    # The role may do what the sample says, and nothing else: so the sample is tried by everything.
    ceph_enter env ACCOUNT_A="$ACCOUNT_A" ACCOUNT_B="$ACCOUNT_B" ROLE_NAME="$ROLE_NAME" TRUST="$(ceph_trust_policy)" \
        ROLE_POLICY="$(cat "$here/../config/iam/account-b-role-policy.json")" \
        ANNE_KEY="$ANNE_KEY" ANNE_SECRET="$ANNE_SECRET" AROOT_KEY="$AROOT_KEY" AROOT_SECRET="$AROOT_SECRET" \
        BROOT_KEY="$BROOT_KEY" BROOT_SECRET="$BROOT_SECRET" \
        bash -euc "$(declare -f ceph_accounts_inside); ceph_accounts_inside" >>"$dir/ceph/run/accounts.log" 2>&1 9<&-
}

ceph_start_inside() {
    local conf=/mnt/ceph.conf keyring=/mnt/keyring osd_id mkfs name
    ceph-authtool "$keyring" --create-keyring --gen-key -n mon. --cap mon 'allow *'
    for name in client.admin client.rgw; do
        ceph-authtool "$keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *'
    done
    monmaptool --create --addv a "[v2:$MON]" --fsid "$FSID" /mnt/monmap
    ceph-mon -c "$conf" --mkfs -i a --monmap /mnt/monmap --keyring "$keyring"
    ceph-mon -c "$conf" --fsid "$FSID" -i a --public-addrv "[v2:$MON]"
    # The uuid must be given: else the mon drops the OSD ("clashes with existing osd: different fsid").
    osd_id=$(</proc/sys/kernel/random/uuid)
    ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd_id" &
    mkfs=$!
    ceph -c "$conf" osd new "$osd_id"
    wait "$mkfs"
    ceph-osd -c "$conf" --fsid "$FSID" -i 0
    # What GetBucketLocation says, and what CreateBucket's LocationConstraint must be.
    radosgw-admin -c "$conf" user list >/dev/null               # makes the default zone and zonegroup
    radosgw-admin -c "$conf" zonegroup get --rgw-zonegroup default |
        sed "s/\"api_name\": \"[^\"]*\"/\"api_name\": \"$REGION\"/" >/mnt/zonegroup.json
    radosgw-admin -c "$conf" zonegroup set --rgw-zonegroup default </mnt/zonegroup.json >/dev/null
    radosgw -c "$conf" --fsid "$FSID" -n client.rgw
}

ceph_accounts_inside() {
    admin() { radosgw-admin -c /mnt/ceph.conf "$@"; }
    admin account create --account-name A --account-id "$ACCOUNT_A"
    admin account create --account-name B --account-id "$ACCOUNT_B" --max-buckets=0       # no limit
    admin user create --uid aroot --display-name aroot --account-id "$ACCOUNT_A" --account-root \
        --access-key "$AROOT_KEY" --secret "$AROOT_SECRET"
    admin user create --uid broot --display-name broot --account-id "$ACCOUNT_B" --account-root \
        --access-key "$BROOT_KEY" --secret "$BROOT_SECRET"
    admin user create --uid Anne --display-name Anne --account-id "$ACCOUNT_A" \
        --access-key "$ANNE_KEY" --secret "$ANNE_SECRET"
    admin role create --account-id "$ACCOUNT_B" --role-name "$ROLE_NAME" --assume-role-policy-doc "$TRUST"
    admin role-policy put --account-id "$ACCOUNT_B" --role-name "$ROLE_NAME" --policy-name s3 --policy-doc "$ROLE_POLICY"
}

# RGW knows no sts:ExternalId; the gateway hands it over as the referer (gateway.cfg).
ceph_trust_policy() {
    cat <<EOF
{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::$ACCOUNT_A:root"]},
"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"aws:Referer":"$EXTERNAL_ID"}}}]}
EOF
}

ceph_conf() {
    cat <<EOF
[global]
fsid = $FSID
mon_host = v2:127.0.0.1:$((BASE_PORT + 2))/0
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_ipv6 = false
ms_bind_msgr1 = false
ms_bind_port_min = $((BASE_PORT + 3))
ms_bind_port_max = $((BASE_PORT + PORTS - 1))
# no cephx; radosgw asks the mon for "secure" mode, which needs cephx, unless told crc
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
run_dir = /mnt/run
admin_socket = /mnt/run/\$name.asok
log_file = /mnt/run/\$name.log
mon_cluster_log_file = /mnt/run/cluster.log
pid_file = /mnt/run/\$name.pid
keyring = /mnt/keyring
mon_data = /mnt/mon
osd_data = /mnt/osd
osd_objectstore = memstore
memstore_device_bytes = $((MEM_GIB << 30))
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_numa_auto_affinity = false
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 1
# without these every map change waits 1 s
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[client.rgw]
# tcp_nodelay: without it each small keep-alive GET takes 44 ms (Nagle against delayed ACK)
rgw_frontends = beast endpoint=127.0.0.1:$((BASE_PORT + 1)) tcp_nodelay=1
rgw_enable_apis = s3, sts, iam, admin
rgw_s3_auth_use_sts = true
rgw_sts_key = $(random_chars a-z0-9 16)
rgw_sts_min_session_duration = $MIN_SESSION
rgw_run_sync_thread = false
rgw_enable_lc_threads = false
rgw_enable_quota_threads = false
rgw_dynamic_resharding = false
# give deleted objects' memory back in seconds, not hours
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
EOF
}

ceph_down() {
    local name
    for name in client.rgw osd.0 mon.a; do
        stop_process "$dir/ceph/run/$name.pid" "$FSID"
    done
}
