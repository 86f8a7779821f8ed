/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

static const int64_t kBudgetBytes = 8 << 20;

static RE2::Options options()
{
	RE2::Options o(RE2::POSIX);
	o.set_log_errors(false);
	o.set_max_mem(kBudgetBytes);
	return o;
}

struct regex {
	RE2 re;
	regex(const re2::StringPiece &p) : re(p, options()) {}
};

struct regex_set {
	RE2::Set set;
	regex_set() : set(options(), RE2::ANCHOR_BOTH) {}
};

extern "C" struct regex *regex_new(const char *pattern, size_t n, char *reterr_text, size_t size)
{
	regex *re = new (std::nothrow) regex(re2::StringPiece(pattern, n));
	if (!re)
		return nullptr;
	if (!re->re.ok()) {
		strncpy(reterr_text, re->re.error().c_str(), size - 1);
		reterr_text[size - 1] = '\0';
		delete re;
		return nullptr;
	}
	return re;
}

extern "C" void regex_free(struct regex *re)
{
	delete re;
}

extern "C" bool regex_matches(const struct regex *re, const char *s, size_t n)
{
	re2::StringPiece subject(s, n);
	return re->re.Match(subject, 0, n, RE2::ANCHOR_BOTH, nullptr, 0);
}

extern "C" bool regex_range(const struct regex *re, char low[REGEX_RANGE_BYTES], char high[REGEX_RANGE_BYTES])
{
	std::string least, most;

	if (!re->re.PossibleMatchRange(&least, &most, REGEX_RANGE_BYTES))
		return false;
	memset(low, 0, REGEX_RANGE_BYTES);
	memset(high, 0, REGEX_RANGE_BYTES);
	memcpy(low, least.data(), std::min<size_t>(least.size(), REGEX_RANGE_BYTES));
	memcpy(high, most.data(), std::min<size_t>(most.size(), REGEX_RANGE_BYTES));
	return most.size() <= REGEX_RANGE_BYTES;
}

extern "C" struct regex_set *regex_set_new(void)
{
	return new (std::nothrow) regex_set();
}

extern "C" void regex_set_free(struct regex_set *set)
{
	delete set;
}

extern "C" int regex_set_add(struct regex_set *set, const char *pattern, size_t n)
{
	return set->set.Add(re2::StringPiece(pattern, n), nullptr);
}

extern "C" bool regex_set_compile(struct regex_set *set)
{
	return set->set.Compile();
}

extern "C" int regex_set_match(const struct regex_set *set, const char *s, size_t n, int *ret, int cap)
{
	re2::StringPiece subject(s, n);
	std::vector<int> hits;
	RE2::Set::ErrorInfo info;
	/* Mostly nothing matches: to know that much takes no memory. */
	if (!set->set.Match(subject, nullptr, &info) || !set->set.Match(subject, &hits, &info))
		return info.kind == RE2::Set::kNoError ? 0 : -1;
	int k = 0;
	for (int h : hits) {
		if (k < cap)
			ret[k++] = h;
	}
	return k;
}
