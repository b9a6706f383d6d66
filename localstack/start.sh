#!/bin/sh
# Keeps one test server up until Ctrl-C: localstack/start.sh [localstack|versitygw|minio]
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
exec "$root/node_modules/.bin/node" "$root/test/support/start-server.ts" "$@"
