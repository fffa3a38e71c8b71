# The keeper of one private PostgreSQL server, run by dunlin-sandbox as the server's user.
#
# stdin   a pipe whose other end only the owner holds: it ends when the owner does, however it does
# stdout  the locked file of the folder: the lock lasts until this process ends
# stderr  the log
#
# usage: keeper RUN REMOVE SIGNAL PATIENCE DATA CONFIG TEMPLATE NEW POSTGRES [INITDB ARGUMENTS...]
#   RUN       folder for what the owner reads: `exited` (who and with which status), `pid`
#   REMOVE    folder to remove at the end, or nothing
#   SIGNAL    INT stops PostgreSQL with a checkpoint, QUIT at once
#   PATIENCE  fiftieths of a second before QUIT, and as many again before KILL
#   TEMPLATE  folder to copy the data from, or nothing
#   NEW       folder to leave a copy of new data in, or nothing
#   INITDB    makes the data, where there is neither data nor a template

run=$1 remove=$2 signal=$3 patience=$4 data=$5 config=$6 template=$7 new=$8 postgres=$9
shift 9

# Ctrl-C is for the owner. The signals sent to our own group below are for our children.
trap '' HUP INT QUIT TERM PIPE

(
    step=initdb
    if [ -n "$template" ]; then
        step=cp
        cp -R "$template/." "$data"
    elif [ $# -gt 0 ]; then
        "$@"
    fi
    status=$?
    if [ "$status" -ne 0 ]; then
        echo "$step $status" >"$run/exited"
        exit
    fi
    if [ -n "$new" ]; then
        cp -R "$data" "$new" || rm -rf -- "$new"
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
    sleep 0.02
    tries=$((tries + 1))
done

# Still there only if the owner did not live to give it its name.
if [ -n "$new" ]; then
    rm -rf -- "$new"
fi
if [ -n "$remove" ]; then
    rm -rf -- "$remove" || rm -rf -- "$remove"
fi
