#!/bin/sh
# Answers the bot over a serial line, a request a line:
#   PING id                            PONG id
#   RUN id seconds bytes base64        OUT id base64 ..., END id status
# A command is killed after so many seconds; its output goes to a small tmpfs and only so many bytes of it come back.
exec <"$1" >"$1"
stty raw -echo
job=/run/agent/job
while read -r verb id seconds bytes words; do
  case $verb in
  PING) echo "PONG $id" ;;
  RUN)
    echo "$words" | base64 -d >$job.sh
    timeout -s KILL "$seconds" sh $job.sh >$job.out 2>&1 </dev/null
    status=$?
    head -c "$bytes" $job.out | base64 | sed "s/^/OUT $id /"
    echo "END $id $status"
    rm -f $job.sh $job.out
    ;;
  esac
done
