/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/layout.h"

#include <string.h>
#include <sys/socket.h>

#include "proto/plugin_api.h"

/*
 * A letter for each parameter, by event type: 1, 2, 4, 8: a number of so many bytes; x:
 * an IPv6 address; s: a text; b: bytes; a: a socket's address; t: two of them; f: a list
 * of descriptors. L first: lengths are of four bytes, not two.
 */
/* clang-format off */
static const char *const form[PLUGIN_EVENT_TYPES_N] = {
	[0] = "22", [1] = "22", [2] = "s44", [3] = "8s4448", [4] = "8", [5] = "88", [6] = "84",
	[7] = "8b84", [8] = "84", [9] = "8b84", [10] = "4", [11] = "8", [13] = "8sb888s8",
	[15] = "8sb888s8444", [18] = "444", [19] = "84444", [20] = "8", [21] = "8a8", [22] = "8a",
	[23] = "8t8a", [24] = "84", [25] = "884", [27] = "8t1", [28] = "84", [29] = "8b84t",
	[30] = "84t", [31] = "8b84t", [32] = "84", [33] = "8b84t", [34] = "84", [35] = "8bt84",
	[36] = "81", [37] = "881", [42] = "444", [43] = "88888444", [45] = "8811b4", [47] = "8811b4",
	[48] = "84t", [49] = "8b84t", [51] = "884bt", [52] = "8", [53] = "84btb8", [55] = "884btb",
	[56] = "4", [57] = "8t1", [58] = "s4", [59] = "8s4482", [61] = "8888", [62] = "84",
	[63] = "884", [64] = "828", [65] = "8828", [67] = "8s", [69] = "8s", [70] = "8", [71] = "88",
	[73] = "8s", [75] = "8s", [76] = "8", [77] = "8", [78] = "8", [79] = "88", [80] = "f8",
	[81] = "8f8", [83] = "8", [85] = "8", [86] = "881", [87] = "8881", [88] = "881", [89] = "8881",
	[90] = "88", [91] = "8", [93] = "8s", [95] = "8s", [96] = "8", [97] = "88", [98] = "s4",
	[99] = "8", [100] = "s", [101] = "8", [102] = "8s44", [103] = "8", [104] = "ss", [105] = "8",
	[106] = "8s8s", [107] = "8", [108] = "s", [109] = "8", [110] = "8s", [111] = "8", [112] = "848",
	[113] = "8b848", [114] = "848", [115] = "8b848", [116] = "8", [117] = "84b8", [118] = "84",
	[119] = "8b84", [120] = "88", [121] = "84b88", [122] = "848", [123] = "8b848", [124] = "8",
	[125] = "8", [126] = "841", [127] = "8841", [128] = "81", [129] = "881", [130] = "81",
	[131] = "881", [132] = "881", [133] = "8881", [134] = "8", [135] = "88", [136] = "11",
	[137] = "811", [138] = "1", [139] = "81", [140] = "1", [141] = "8881", [142] = "1",
	[143] = "8881", [144] = "81", [145] = "8888881", [146] = "8", [148] = "4", [149] = "4",
	[150] = "81", [151] = "8818", [152] = "888444", [155] = "8sb888s888444",
	[157] = "8sb888s888444444", [158] = "8", [159] = "84448", [160] = "884488",
	[161] = "8444884488", [162] = "884488", [163] = "8444884488", [164] = "88", [165] = "844488",
	[166] = "8884", [167] = "88884", [168] = "28", [169] = "8bb28", [170] = "888", [171] = "8888",
	[173] = "8sb888s888444b", [175] = "8ss", [177] = "88s8s", [179] = "8ss", [181] = "8s8s",
	[183] = "8sb888s888444444", [185] = "8sb888s888444444", [186] = "88118", [188] = "8888",
	[189] = "88888", [190] = "2141", [191] = "8ss888888888112141", [192] = "444", [193] = "8444",
	[194] = "444", [195] = "8444", [196] = "48", [198] = "4", [199] = "84", [200] = "4",
	[201] = "84", [203] = "4", [205] = "4", [207] = "4", [209] = "4", [211] = "8444",
	[213] = "8444", [215] = "8sb888s888444sb", [217] = "8sb888s888444s444",
	[219] = "8sb888s888444s444", [221] = "8sb888s888444s444", [223] = "8sb888s888444sb444888",
	[225] = "8sb888s888444sb444888", [227] = "8sb888s888444sb444888", [228] = "s4ss",
	[231] = "8sb888s888444sbb", [232] = "881", [234] = "88", [236] = "8", [237] = "88", [238] = "8",
	[239] = "88", [240] = "84", [241] = "884", [242] = "84", [243] = "884", [244] = "44",
	[247] = "8t144", [248] = "4", [249] = "8t144", [250] = "4", [251] = "842222224", [252] = "4424",
	[253] = "84424", [254] = "f84", [255] = "8f84", [256] = "4", [257] = "8sss4", [258] = "4",
	[259] = "8s", [260] = "s", [262] = "444", [263] = "8444", [264] = "4", [265] = "8s4",
	[267] = "8s", [268] = "8bb", [269] = "8bb", [270] = "s", [272] = "s", [275] = "8", [276] = "4",
	[277] = "8s4", [279] = "8s", [280] = "ss", [283] = "8sb888s888444sbb4", [284] = "4",
	[285] = "84", [286] = "ssss", [288] = "s", [289] = "8sb888s888444sbb4", [290] = "884",
	[292] = "s", [293] = "8sb888s888444sbb48448888884s84s", [294] = "88", [295] = "888",
	[296] = "8", [297] = "b", [298] = "88", [299] = "888", [301] = "8s", [303] = "88s4",
	[305] = "88s4", [306] = "8s44", [307] = "88s4448", [309] = "8ss", [311] = "88s8s4",
	[313] = "88s4", [315] = "8s4", [317] = "884", [319] = "88s8s4", [321] = "84", [322] = "L4b",
	[324] = "Ls", [326] = "8s444", [327] = "88s44448", [328] = "884", [329] = "8884", [330] = "8s4",
	[331] = "8sb888s888444sbb48448888884s84", [332] = "888", [333] = "888888",
	[335] = "8sb888s888444sb444888", [337] = "884s48", [339] = "84444444", [341] = "884444",
	[343] = "88284", [345] = "888", [347] = "888", [349] = "84", [351] = "8", [353] = "8888",
	[354] = "44ssss", [356] = "44ssss", [358] = "4ss", [360] = "4ss", [362] = "8", [363] = "888",
	[364] = "8", [365] = "8884", [366] = "8", [367] = "88", [368] = "8", [369] = "84",
	[371] = "8884", [373] = "884sbs4", [374] = "4", [375] = "84", [376] = "4", [377] = "84",
	[379] = "8s44", [381] = "8s44", [383] = "8844", [385] = "88s444", [387] = "8s", [388] = "4",
	[389] = "8t1444", [390] = "4", [391] = "8s4", [393] = "88884", [395] = "82", [396] = "8",
	[397] = "828", [398] = "84", [399] = "8284", [401] = "84s8", [402] = "L4sb", [405] = "8s4",
	[407] = "8884", [409] = "884", [411] = "8b8s", [413] = "88s4", [415] = "8s44", [417] = "88s44",
	[419] = "88s4", [421] = "88b", [423] = "88b", [425] = "8s4", [427] = "844", [429] = "844",
	[430] = "4444sbs4bs84488888844488448bs844", [432] = "4s8", [434] = "4s8", [436] = "4s448",
	[438] = "4s8", [440] = "42242428", [442] = "422x2x28", [444] = "4228s8", [446] = "4228",
	[448] = "41s8", [451] = "8444", [453] = "84bbbb",
};
/* clang-format on */

enum {
	UNIX_TUPLE_HEAD = 17, /* the family and two pointers, then a path */
	FD_BYTES = 10,        /* a descriptor and its flags */
	FAMILY_INET = 2,
	FAMILY_INET6 = 10,
};

bool
layout_has(uint32_t type)
{
	return type < PLUGIN_EVENT_TYPES_N && type != PLUGIN_EVENT_TYPE &&
	       type != PLUGIN_ASYNC_EVENT_TYPE;
}

bool
layout_varies(char f)
{
	return f == 's' || f == 'b' || f == 'a' || f == 't' || f == 'f';
}

static uint32_t
size_of(char f)
{
	return f == 'x' ? 16 : (uint32_t)(f - '0');
}

void
layout_read(struct layout *l, uint32_t type, const uint8_t *bytes, uint32_t n)
{
	const char *f = form[type] ? form[type] : "";
	uint32_t mask = 0, at = LAYOUT_MASK_BYTES;
	uint16_t len;

	memset(l, 0, sizeof(*l));
	l->has_long_lengths = *f == 'L';
	f += l->has_long_lengths;
	if (n >= sizeof(mask))
		memcpy(&mask, bytes, sizeof(mask));
	for (; *f && l->n < LAYOUT_PARAMS; f++, l->n++) {
		struct layout_param *p = &l->param[l->n];
		p->form = *f;
		p->is_left_out = mask >> l->n & 1;
		at = at < n ? at : n;
		p->at = at;
		if (p->is_left_out)
			continue;
		if (!layout_varies(*f)) {
			p->len = size_of(*f);
		} else if (n - at >= sizeof(len)) {
			memcpy(&len, bytes + at, sizeof(len));
			p->at += (uint32_t)sizeof(len);
			p->len = len < n - p->at ? len : n - p->at;
		}
		at = p->at + p->len;
	}
}

/* Of a socket's address, or of two, how many bytes the family has; 0: any number. */
static uint32_t
address_size(char f, uint8_t family)
{
	if (f == 'a')
		return family == FAMILY_INET ? 7 : family == FAMILY_INET6 ? 19 : 0;
	return family == FAMILY_INET ? 13 : family == FAMILY_INET6 ? 37 : 0;
}

/* Bytes as a driver would have them, in place; the new length. to has room for one more
 * than n, and for UNIX_TUPLE_HEAD + 1. */
static uint32_t
settle(char f, uint8_t *to, uint32_t n)
{
	uint32_t fixed;

	switch (f) {
	case 's':
		n = (uint32_t)strnlen((char *)to, n);
		to[n] = '\0';
		return n + 1;
	case 'f':
		if (n < 2)
			return 0;
		n = (n - 2) / FD_BYTES;
		n = n < UINT16_MAX ? n : UINT16_MAX;
		to[0] = (uint8_t)n;
		to[1] = (uint8_t)(n >> 8);
		return 2 + n * FD_BYTES;
	case 'a':
	case 't':
		if (n == 0)
			return 0;
		fixed = address_size(f, to[0]);
		if (fixed == 0 && to[0] == AF_UNIX) {
			/* A path, and before two of them their sockets. */
			fixed = f == 't' ? UNIX_TUPLE_HEAD : 1;
			if (n < fixed)
				memset(to + n, 0, fixed - n);
			n = n > fixed ? n - fixed : 0;
			n = (uint32_t)strnlen((char *)to + fixed, n);
			to[fixed + n] = '\0';
			return fixed + n + 1;
		}
		if (fixed == 0)
			return n;
		if (n < fixed)
			memset(to + n, 0, fixed - n);
		return fixed;
	default:
		return n;
	}
}

uint32_t
layout_write(
    const struct layout *l, const uint8_t *bytes, uint32_t n, uint8_t *to, uint32_t cap)
{
	uint32_t width = l->has_long_lengths ? 4 : 2, at = l->n * width;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct layout_param *p = &l->param[i];
		/* Room for what makes it whole. */
		if (cap < at || cap - at < p->len + 64)
			return 0;
		uint32_t have = p->at < n ? n - p->at : 0, len = p->len;
		have = have < len ? have : len;
		if (have > 0)
			memcpy(to + at, bytes + p->at, have);
		memset(to + at + have, 0, len - have);
		if (!p->is_left_out)
			len = settle(p->form, to + at, len);
		if (width == 2 && len > UINT16_MAX)
			return 0;
		memcpy(to + i * width, &len, width);
		at += len;
	}
	return at;
}

uint32_t
layout_take(uint32_t type, const uint8_t *event, uint32_t n, uint8_t *to, uint32_t cap)
{
	struct plugin_event head;
	struct layout l;
	uint32_t mask = 0, out = sizeof(mask);

	layout_read(&l, type, NULL, 0);
	if (n < sizeof(head))
		return 0;
	memcpy(&head, event, sizeof(head));
	uint32_t width = l.has_long_lengths ? 4 : 2,
		 at = (uint32_t)sizeof(head) + l.n * width;
	/* Older captures have fewer. */
	if (head.nparams != l.n || at > n)
		return 0;
	for (uint32_t i = 0; i < l.n; i++) {
		char f = l.param[i].form;
		uint32_t len = 0;
		memcpy(&len, event + sizeof(head) + i * width, width);
		if (len > n - at || len > UINT16_MAX || cap < out || cap - out < len + 2)
			return 0;
		if (len == 0) {
			mask |= 1u << i;
			continue;
		}
		if (!layout_varies(f) && len != size_of(f))
			return 0;
		if (layout_varies(f)) {
			uint16_t own = (uint16_t)len;
			memcpy(to + out, &own, sizeof(own));
			out += (uint32_t)sizeof(own);
		}
		memcpy(to + out, event + at, len);
		out += len;
		at += len;
	}
	memcpy(to, &mask, sizeof(mask));
	return out;
}
