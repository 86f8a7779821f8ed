/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/insn.h"

#include <stdbool.h>
#include <string.h>

enum {
	LENGTH_MAX = 15
};

/* What follows an opcode. */
enum {
	M = 1,   /* ModRM, and what that brings */
	B = 2,   /* a byte */
	W = 4,   /* two bytes */
	Z = 8,   /* four bytes, two with the operand-size prefix */
	V = 16,  /* as Z, eight with REX.W */
	A = 32,  /* an address of eight bytes, four with the address-size prefix */
	D = 64,  /* four bytes, whatever the prefixes: near jumps */
	X = 128, /* no instruction here */
};

/* clang-format off */
/* Of one byte. Prefixes and escapes are dealt with before. */
static const uint8_t one[256] = {
/* 0 */ M, M, M, M, B, Z, X, X,  M, M, M, M, B, Z, X, X,
/* 1 */ M, M, M, M, B, Z, X, X,  M, M, M, M, B, Z, X, X,
/* 2 */ M, M, M, M, B, Z, X, X,  M, M, M, M, B, Z, X, X,
/* 3 */ M, M, M, M, B, Z, X, X,  M, M, M, M, B, Z, X, X,
/* 4 */ X, X, X, X, X, X, X, X,  X, X, X, X, X, X, X, X,
/* 5 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
/* 6 */ X, X, X, M, X, X, X, X,  Z, M|Z, B, M|B, 0, 0, 0, 0,
/* 7 */ B, B, B, B, B, B, B, B,  B, B, B, B, B, B, B, B,
/* 8 */ M|B, M|Z, X, M|B, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 9 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, X, 0, 0, 0, 0, 0,
/* a */ A, A, A, A, 0, 0, 0, 0,  B, Z, 0, 0, 0, 0, 0, 0,
/* b */ B, B, B, B, B, B, B, B,  V, V, V, V, V, V, V, V,
/* c */ M|B, M|B, W, 0, X, X, M|B, M|Z,  W|B, 0, W, 0, 0, B, X, 0,
/* d */ M, M, M, M, X, X, X, 0,  M, M, M, M, M, M, M, M,
/* e */ B, B, B, B, B, B, B, B,  D, D, X, B, 0, 0, 0, 0,
/* f */ X, 0, X, X, 0, 0, M, M,  0, 0, 0, 0, 0, 0, M, M,
};

/* Behind 0f. */
static const uint8_t two[256] = {
/* 0 */ M, M, M, M, X, 0, 0, 0,  0, 0, X, 0, X, M, 0, M|B,
/* 1 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 2 */ M, M, M, M, X, X, X, X,  M, M, M, M, M, M, M, M,
/* 3 */ 0, 0, 0, 0, 0, 0, X, 0,  X, X, X, X, X, X, X, X,
/* 4 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 5 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 6 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 7 */ M|B, M|B, M|B, M|B, M, M, M, 0,  M, M, X, X, M, M, M, M,
/* 8 */ D, D, D, D, D, D, D, D,  D, D, D, D, D, D, D, D,
/* 9 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* a */ 0, 0, 0, M, M|B, M, X, X,  0, 0, 0, M, M|B, M, M, M,
/* b */ M, M, M, M, M, M, M, M,  M, M, M|B, M, M, M, M, M,
/* c */ M, M, M|B, M, M|B, M|B, M|B, M,  0, 0, 0, 0, 0, 0, 0, 0,
/* d */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* e */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* f */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
};
/* clang-format on */

struct decoding {
	const uint8_t *p;
	size_t n;
	uint32_t at;
	uint8_t rex;
	bool operand16, address32, is_vector; /* VEX or EVEX */
};

static bool
next(struct decoding *d, uint8_t *ret)
{
	if (d->at >= d->n || d->at >= LENGTH_MAX)
		return false;
	*ret = d->p[d->at++];
	return true;
}

static bool
is_prefix(uint8_t c)
{
	return c == 0x26 || c == 0x2e || c == 0x36 || c == 0x3e ||
	       (c >= 0x64 && c <= 0x67) || c == 0xf0 || c == 0xf2 || c == 0xf3;
}

static bool
prefixes(struct decoding *d, uint8_t *ret_opcode)
{
	uint8_t c;

	do {
		if (!next(d, &c))
			return false;
		d->operand16 |= c == 0x66;
		d->address32 |= c == 0x67;
	} while (is_prefix(c));
	if (c >= 0x40 && c <= 0x4f) {
		d->rex = c;
		if (!next(d, &c))
			return false;
	}
	*ret_opcode = c;
	return true;
}

/* Flags of an opcode of the map (1: 0f, 2: 0f 38, 3: 0f 3a; with vectors 5 and 6 too). */
static uint8_t
flags_of(const struct decoding *d, unsigned map, uint8_t opcode)
{
	switch (map) {
	case 0:
		return one[opcode];
	case 1:
		if (!d->is_vector)
			return two[opcode];
		/* Without the old meanings of these rows. */
		return opcode == 0x77 ? 0 : M | (two[opcode] & B);
	case 3:
		return M | B;
	case 2:
	case 5:
	case 6:
		return M;
	default:
		return X;
	}
}

/* The map and the opcode of what is longer than a byte. */
static bool
escape(struct decoding *d, uint8_t *opcode, unsigned *ret_map)
{
	uint8_t c = *opcode, p;

	*ret_map = 0;
	if (c == 0x0f) {
		if (!next(d, opcode))
			return false;
		*ret_map = *opcode == 0x38 ? 2 : *opcode == 0x3a ? 3 : 1;
		return *ret_map == 1 || next(d, opcode);
	}
	if (c != 0xc4 && c != 0xc5 && c != 0x62)
		return true;
	d->is_vector = true;
	if (!next(d, &p))
		return false;
	*ret_map = c == 0xc5 ? 1 : c == 0xc4 ? p & 0x1f : p & 7;
	/* Of three or four bytes, one or two more before the opcode. */
	for (unsigned i = c == 0xc5 ? 0 : c == 0xc4 ? 1 : 2; i > 0; i--)
		if (!next(d, &p))
			return false;
	return next(d, opcode);
}

/* ModRM, SIB and displacement. */
static bool
operand(struct decoding *d, uint8_t *ret_modrm)
{
	uint8_t m, sib = 0;

	if (!next(d, &m))
		return false;
	*ret_modrm = m;
	uint8_t mod = m >> 6, rm = m & 7;
	if (mod == 3)
		return true;
	if (rm == 4 && !next(d, &sib))
		return false;
	if (mod == 1)
		d->at += 1;
	else if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		d->at += 4;
	return true;
}

static uint32_t
immediate(const struct decoding *d, uint8_t flags)
{
	uint32_t n = (flags & B ? 1 : 0) + (flags & W ? 2 : 0) + (flags & D ? 4 : 0);

	if (flags & A)
		n += d->address32 ? 4 : 8;
	if (flags & V && d->rex & 8)
		n += 8;
	else if (flags & (Z | V))
		n += d->operand16 && !(d->rex & 8) ? 2 : 4;
	return n;
}

static int64_t
displacement(const struct decoding *d, uint32_t n)
{
	int32_t v;

	if (n == 1)
		return (int8_t)d->p[d->at - 1];
	memcpy(&v, d->p + d->at - 4, sizeof(v));
	return v;
}

static enum insn_kind
kind_of(unsigned map, uint8_t opcode, uint8_t modrm)
{
	uint8_t reg = modrm >> 3 & 7;

	if (map == 0) {
		if ((opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0)
			return INSN_BRANCH;
		if (opcode == 0xeb || opcode == 0xe9)
			return INSN_JUMP;
		if (opcode == 0x90 || opcode == 0xcc)
			return INSN_PAD;
		if (opcode == 0xc3 || opcode == 0xc2 || opcode == 0xcb ||
		    opcode == 0xca || opcode == 0xcf || opcode == 0xf4 ||
		    (opcode == 0xff && (reg == 4 || reg == 5)))
			return INSN_END;
	} else if (map == 1) {
		if ((opcode & 0xf0) == 0x80)
			return INSN_BRANCH;
		if (opcode == 0x0b)
			return INSN_END;
		if (opcode == 0x1f)
			return INSN_PAD;
	}
	return INSN_PLAIN;
}

/* cmp with an immediate operand, and mov of eight bytes. */
static bool
is_constant(unsigned map, uint8_t opcode, uint8_t modrm, uint32_t imm)
{
	bool compares = opcode == 0x3d || ((opcode == 0x81) && (modrm >> 3 & 7) == 7);

	return map == 0 && (compares || ((opcode & 0xf8) == 0xb8 && imm == 8));
}

uint32_t
insn_decode(const uint8_t *p, size_t n, struct insn *ret)
{
	struct decoding d = {.p = p, .n = n};
	uint8_t opcode, modrm = 0;
	unsigned map;

	if (!prefixes(&d, &opcode) || !escape(&d, &opcode, &map))
		return 0;
	uint8_t flags = flags_of(&d, map, opcode);
	if (flags & X || (flags & M && !operand(&d, &modrm)))
		return 0;
	/* test, alone among these, has an immediate. */
	if (map == 0 && (opcode | 1) == 0xf7 && (modrm >> 3 & 7) < 2)
		flags |= opcode == 0xf6 ? B : Z;
	uint32_t imm = immediate(&d, flags);
	d.at += imm;
	if (d.at > n || d.at > LENGTH_MAX)
		return 0;
	*ret =
	    (struct insn){.kind = d.is_vector ? INSN_PLAIN : kind_of(map, opcode, modrm)};
	if (!d.is_vector && is_constant(map, opcode, modrm, imm))
		ret->constant = imm;
	if (ret->kind == INSN_BRANCH || ret->kind == INSN_JUMP)
		ret->target = (int64_t)d.at + displacement(&d, imm);
	return d.at;
}
