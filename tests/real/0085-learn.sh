#!/usr/bin/env bash
# "mews learn" for every registered plugin, with the plugin or its double: what it comes to is
# what the profile gives, but for differences that have a reason in learned.txt.
. "$(dirname "$0")/lib.sh"
. "$root/tests/real/examine.sh"
. "$root/tests/real/learn.sh"
[ -d "$built/tests/doubles" ] || skip_all "tests/doubles is not built"

learn_all
is "differences without a reason" "$(grep -v '|||$' "$compared" | grep '|$')" ""
check "plugins that were learned from" test "$(cut -d'|' -f1 "$compared" | sort -u | wc -l)" -ge 20
check "some profiles come out as they are" grep -q '^nginx|||$' "$compared"
page=$(sed -n '/^## Learned and shipped/,$p' "$root/docs/plugins.md")
while IFS='|' read -r name _; do
	check "docs/plugins.md has a row for $name" grep -q "^| $name |" <<<"$page"
done < <(sort -u -t'|' -k1,1 "$compared")
check "nothing left" nothing_left
finish
