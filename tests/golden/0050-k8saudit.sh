#!/usr/bin/env bash
# The published k8saudit and json plugins over the sample audit events, in two workers:
# exactly the alerts that Falco gives.
. "$(dirname "$0")/lib.sh"
real=$root/tests/real/out
for library in libk8saudit.so libjson.so; do
	[ -e "$real/$library" ] || skip_all "$library is not built (tests/real/build.sh)"
done
cp -r "$root/tests/data/k8saudit" "$tmp/samples"
compare k8saudit --real "$real" --samples "$tmp/samples"
