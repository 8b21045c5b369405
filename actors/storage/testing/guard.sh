# Runs one server and ends it, with its folder, when standard input closes: then the test process is gone,
# however it went. Arguments: folder, signal that ends the server, command to run before, command that succeeds when
# the server is up, its command line.
dir=$1 signal=$2 prepare=$3 ready=$4 start=$5
pid=
# PIPE: to tell a process that is gone must not end this one before it has cleaned up
trap '' INT PIPE

launch() {
    sh -c "exec $start" </dev/null >>"$dir/log" 2>&1 &
    pid=$!
    tries=0
    until sh -c "$ready" </dev/null >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 1000 ] || ! kill -0 "$pid"; then
            echo failed
            return
        fi
        sleep 0.02
    done
    echo up
}

# What the server has begun for its clients, such as a process for each of PostgreSQL's.
children() {
    cat "/proc/$pid/task/$pid/children"
}

resume() {
    kill -CONT $(children) "$pid"
}

end() {
    [ -n "$pid" ] || return
    resume
    kill "-$signal" "$pid"
    wait "$pid"
}

if sh -c "$prepare" </dev/null >>"$dir/log" 2>&1; then
    launch
else
    echo failed
fi
while read -r order; do
    case $order in
    start) launch ;;
    stop) end; echo down ;;
    # the server first, so that it begins no more of them
    pause) kill -STOP "$pid"; kill -STOP $(children); echo paused ;;
    quit) break ;;
    resume) resume; echo resumed ;;
    esac
done
end
rm -rf "$dir"
