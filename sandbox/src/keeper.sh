# The keeper of one private PostgreSQL server, run by dunlin-sandbox as the server's user.
#
# stdin   a pipe whose other end only the owner holds: it ends when the owner does, however it does
# stdout  the locked file of the folder: the lock lasts until this process ends
# stderr  the log
#
# usage: keeper RUN REMOVE SIGNAL PATIENCE DATA CONFIG POSTGRES [INITDB ARGUMENTS...]
#   RUN       folder for what the owner reads: `exited` (who and with which status), `pid`
#   REMOVE    folder to remove at the end, or nothing
#   SIGNAL    INT stops PostgreSQL with a checkpoint, QUIT at once
#   PATIENCE  twentieths of a second before QUIT, and as many again before KILL

run=$1 remove=$2 signal=$3 patience=$4 data=$5 config=$6 postgres=$7
shift 7

# Ctrl-C is for the owner. The signals sent to our own group below are for our children.
trap '' HUP INT QUIT TERM PIPE

(
    if [ $# -gt 0 ]; then
        "$@"
        status=$?
        if [ "$status" -ne 0 ]; then
            echo "initdb $status" >"$run/exited"
            exit
        fi
    fi
    "$postgres" -D "$data" -c "config_file=$config" &
    echo $! >"$run/pid"
    wait $!
    echo "postgres $?" >"$run/exited"
) </dev/null >&2 &

while read -r _; do :; done

# Signals are repeated: one that arrives before PostgreSQL installs its handlers is lost, and
# repeating one changes nothing. Backends have sessions of their own and are not in this group.
tries=0
while [ ! -e "$run/exited" ] && [ "$tries" -lt $((3 * patience)) ]; do
    if [ "$tries" -lt "$patience" ]; then
        kill -s "$signal" 0
    elif [ "$tries" -lt $((2 * patience)) ]; then
        kill -s QUIT 0
    elif read -r pid _ <"$data/postmaster.pid"; then
        kill -s KILL "$pid"
    fi
    sleep 0.05
    tries=$((tries + 1))
done

if [ -n "$remove" ]; then
    rm -rf -- "$remove" || rm -rf -- "$remove"
fi
