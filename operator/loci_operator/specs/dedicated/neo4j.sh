# Runs Neo4j on the volume with the password of the Secret. It starts Java itself, since the image's own scripts write to
# their image; it suits any image with Neo4j's jars in $NEO4J_HOME/lib, the official one included.
set -eu
home=${NEO4J_HOME:-/var/lib/neo4j}
data=${DATA:-/data}/neo4j
password=${PASSWORD_FILE:-/etc/loci/neo4j-password}
export NEO4J_CONF=${CONFIG:-/etc/neo4j} NEO4J_HOME=${RUN:-/tmp/neo4j}
mkdir -p "$data" "$NEO4J_HOME"
digest=$(sha256sum < "$password")
if [ "$(cat "$data/credential" 2> /dev/null)" != "$digest" ]; then
  # Users are in the database `system` alone: made anew, it takes the password, and the graph stays as it is.
  rm -rf "$data/dbms" "$data/databases/system" "$data/transactions/system"
  # A file of arguments keeps the password off the command line; quoted, and after --, it can be any text.
  printf '"%s"\n' "$(sed 's/[\\"]/\\&/g' "$password")" > "$NEO4J_HOME/arguments"
  java -Xmx128m -cp "$home/lib/*" org.neo4j.cli.AdminTool dbms set-initial-password -- "@$NEO4J_HOME/arguments"
  rm "$NEO4J_HOME/arguments"
  echo "$digest" > "$data/credential"
fi
exec java "-Xms$HEAP" "-Xmx$HEAP" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
  --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
  --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
  -cp "$home/lib/*" org.neo4j.server.CommunityEntryPoint "--home-dir=$NEO4J_HOME" "--config-dir=$NEO4J_CONF" --console-mode
