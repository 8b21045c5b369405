# Runs one server and ends it, with its folder, when standard input closes: then the test process is gone,
# however it went. Arguments: folder, signal that ends the server, command that succeeds when it is up, its command line.
dir=$1 signal=$2 ready=$3 start=$4
trap '' INT

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

end() {
    kill -CONT "$pid"
    kill "-$signal" "$pid"
    wait "$pid"
}

launch
while read -r order; do
    case $order in
    start) launch ;;
    stop) end; echo down ;;
    pause) kill -STOP "$pid"; echo paused ;;
    quit) break ;;
    resume) kill -CONT "$pid"; echo resumed ;;
    esac
done
end
rm -rf "$dir"
