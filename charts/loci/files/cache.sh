# Runs Redis for tenants' caches. Users are on the volume, which ACL SAVE writes; cached results are in memory alone. The
# administrator's line is written at each start, with the password's hash, so that a changed password is in force.
set -eu
umask 077
users=/data/users.acl
touch "$users"
hash=$(printf %s "$(cat /etc/loci/password)" | sha256sum | cut -d ' ' -f 1)
{
  echo "user default off"
  echo "user loci on #$hash ~* &* +@all"
  grep -v -E '^user (default|loci) ' "$users" || true
} > "$users.new"
mv "$users.new" "$users"
exec redis-server --port 6379 --protected-mode no --save '' --appendonly no --dir /tmp --aclfile "$users" \
  --maxmemory "$MAX_MEMORY" --maxmemory-policy allkeys-lru
