# Runs PostgreSQL on the volume; the first start creates the data folder and the database. It suits any image that has
# PostgreSQL where Debian puts it, the official one included.
set -eu
PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"
data=${DATA:-/data}/postgres
if [ ! -s "$data/PG_VERSION" ]; then
  # Made under another name, so that a crash half-way leaves nothing that looks complete.
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username=postgres --pwfile="$PASSWORD_FILE" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  echo "host all all all scram-sha-256" >> "$data.new/pg_hba.conf"
  echo "CREATE DATABASE loci" | postgres --single -D "$data.new" postgres
  sha256sum < "$PASSWORD_FILE" > "$data.new/credential"
  mv "$data.new" "$data"
fi
if [ "$(cat "$data/credential" 2> /dev/null)" != "$(sha256sum < "$PASSWORD_FILE")" ]; then
  # The Secret has another password than the volume: the Secret's is the one in force.
  printf "ALTER ROLE postgres PASSWORD '%s'\n" "$(sed "s/'/''/g" "$PASSWORD_FILE")" |
    postgres --single -D "$data" -c log_min_error_statement=panic postgres > /dev/null
  sha256sum < "$PASSWORD_FILE" > "$data/credential"
fi
postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections="$MAX_CONNECTIONS" &
server=$!
# Kubernetes sends TERM, on which PostgreSQL would wait for its clients; INT ends their sessions.
trap 'kill -INT $server' TERM INT
wait $server || true
wait $server
