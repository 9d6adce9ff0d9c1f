# shellcheck shell=bash
# An ephemeral PostgreSQL and Redis: free ports, a temporary folder, no durability, gone afterwards.
# Sourced by with-services.sh (see there for how to use it) and by test.sh.
#
#   services_start    starts what is installed, exports WEIR_TEST_POSTGRES_URL and WEIR_TEST_REDIS_URL
#   services_stop     stops what was started, by process id, and removes the folder
#   services_clean    the same for folders whose owner died without doing it
#
# A URL that is already set is left alone: whoever has a server of their own may point the tests at it.

SERVICES_DIR=
SERVICES_BASE=${TMPDIR:-/tmp}

# --- ports ---

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below 32768, where Linux begins to hand out ports by itself: a test that asks for port 0 cannot take it from us.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 12000))
        if port_is_free "$port"; then printf '%s\n' "$port"; return 0; fi
    done
    return 1
}

# Between looking at a port and binding it somebody else may take it, so a start is tried a few times.
with_free_port() { # FUNCTION: called with a port; success means that it serves there
    local port
    for _ in {1..5}; do
        port=$(free_port) || return 1
        if "$1" "$port"; then return 0; fi
    done
    return 1
}

# --- PostgreSQL ---

# The server refuses to run as root, so root hands it to the account that the package made, or to nobody.
postgres_as() {
    if ((EUID != 0)); then "$@"; return; fi
    local user=postgres
    id postgres >/dev/null 2>&1 || user=nobody
    (cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups env HOME="$SERVICES_DIR" "$@")
}

postgres_folder() {
    mkdir -p "$SERVICES_DIR/pg"
    if ((EUID != 0)); then return 0; fi
    local user=postgres
    id postgres >/dev/null 2>&1 || user=nobody
    chown "$user" "$SERVICES_DIR/pg"
}

postgres_listen() { # PORT
    local data=$SERVICES_DIR/pg/data options
    # fsync off: the data is thrown away. Many connections: every test has a database and a pool of its own.
    options="-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off"
    options+=" -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB"
    postgres_as "$PG_BIN/pg_ctl" -D "$data" -l "$SERVICES_DIR/pg/log" -w -t 30 -s -o "$options" start >/dev/null 2>&1
}

postgres_start() {
    if ! PG_BIN=$(postgres_bin); then
        missing "PostgreSQL is not installed (Debian package postgresql), so its tests do not run"
        return 0
    fi
    postgres_folder
    postgres_as "$PG_BIN/initdb" -D "$SERVICES_DIR/pg/data" -U app -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
        >"$SERVICES_DIR/initdb.log" 2>&1 || postgres_failed "initdb" "$SERVICES_DIR/initdb.log"
    with_free_port postgres_listen || postgres_failed "the server" "$SERVICES_DIR/pg/log"
    # The fourth line of the pid file is the port.
    local port
    port=$(sed -n 4p "$SERVICES_DIR/pg/data/postmaster.pid")
    export WEIR_TEST_POSTGRES_URL="postgresql://app@127.0.0.1:$port/postgres"
    say "PostgreSQL on port $port"
}

# Installed but broken is never a skip: somebody has to look at it.
postgres_failed() { # WHAT LOG
    tail -20 "$2" >&2 || true
    die "PostgreSQL: $1 failed (log above)"
}

# --- Redis ---

redis_listen() { # PORT
    redis-server --port "$1" --bind 127.0.0.1 --save '' --appendonly no --dir "$SERVICES_DIR" \
        --logfile "$SERVICES_DIR/redis.log" >/dev/null 2>&1 &
    local pid=$!
    for _ in {1..100}; do
        if grep -q 'Ready to accept connections' "$SERVICES_DIR/redis.log" 2>/dev/null; then
            printf '%s\n' "$pid" >"$SERVICES_DIR/redis.pid"
            printf '%s\n' "$1" >"$SERVICES_DIR/redis.port"
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break # could not bind, or refused its settings
        sleep 0.05
    done
    kill "$pid" 2>/dev/null || true
    return 1
}

redis_start() {
    if ! have redis-server; then
        missing "Redis is not installed (Debian package redis-server), so its tests do not run"
        return 0
    fi
    if ! with_free_port redis_listen; then
        tail -20 "$SERVICES_DIR/redis.log" >&2 || true
        die "Redis did not start (log above)"
    fi
    local port
    port=$(cat "$SERVICES_DIR/redis.port")
    export WEIR_TEST_REDIS_URL="redis://127.0.0.1:$port/0"
    say "Redis on port $port"
}

# --- life ---

services_start() {
    SERVICES_DIR=$(mktemp -d "$SERVICES_BASE/weir-services.XXXXXX")
    chmod 0711 "$SERVICES_DIR" # the account that runs PostgreSQL has to walk through it
    process_name "$$" >"$SERVICES_DIR/owner"
    if [[ -z ${WEIR_TEST_POSTGRES_URL:-} ]]; then postgres_start; fi
    if [[ -z ${WEIR_TEST_REDIS_URL:-} ]]; then redis_start; fi
}

# From here on functions run in an EXIT trap, where a bare `return` gives the status from before the trap: a failed test
# run would make every one of them fail, and leave Redis running. So: `return 0`, always.

# A process id may have been given to somebody else since it was written down. PostgreSQL names its folder on its
# command line; Redis rewrites that line, but works in the folder.
is_ours() { # PID FOLDER
    [[ $(readlink "/proc/$1/cwd" 2>/dev/null) == "$2" ]] && return 0
    { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qF "$2"
}

# Process id and start time: together they name one process for good.
process_name() { # PID
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) } # the command's name stands in brackets and may contain blanks
    printf '%s %s\n' "$1" "$(cut -d' ' -f20 <<<"$stat")"
}

owner_lives() { # FOLDER
    local owner
    owner=$(cat "$1/owner" 2>/dev/null) || return 1
    [[ $owner == "$(process_name "${owner%% *}")" ]]
}

stop_pid() { # PID FOLDER SIGNAL: asks, waits up to ten seconds, then insists
    if ! is_ours "$1" "$2"; then return 0; fi
    kill "-$3" "$1" 2>/dev/null || return 0
    for _ in {1..200}; do
        is_ours "$1" "$2" || return 0
        sleep 0.05
    done
    kill -KILL "$1" 2>/dev/null || true
}

services_stop_in() { # FOLDER
    local pid
    if pid=$(head -1 "$1/pg/data/postmaster.pid" 2>/dev/null); then stop_pid "$pid" "$1" INT; fi # INT: fast shutdown
    if pid=$(cat "$1/redis.pid" 2>/dev/null); then stop_pid "$pid" "$1" TERM; fi
    rm -rf "$1"
}

services_stop() {
    if [[ -n $SERVICES_DIR ]]; then services_stop_in "$SERVICES_DIR"; fi
    SERVICES_DIR=
}

services_clean() {
    local dir found=0
    for dir in "$SERVICES_BASE"/weir-services.*/; do
        dir=${dir%/}
        if [[ ! -O $dir ]]; then continue; fi
        if owner_lives "$dir"; then
            say "$dir belongs to a run that is still going: left alone"
            continue
        fi
        say "removing $dir, whose owner is gone"
        services_stop_in "$dir"
        found=$((found + 1))
    done
    if ((found == 0)); then say "no services left behind"; fi
}
