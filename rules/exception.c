/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/exception.h"

#include <string.h>

#include "base/limits.h"
#include "rules/compile.h"

/* -- operators
 * -------------------------------------------------------------------------------- */

enum op_shape {
	SHAPE_NONE,
	SHAPE_unary,
	SHAPE_number,
	SHAPE_string,
	SHAPE_list
};

static enum op_shape
op_shape(const char *s, size_t n)
{
	static const struct {
		const char *text;
		enum op_shape shape;
	} ops[] = {{"==", SHAPE_string},
#define OP_ROW(id, text, shape) {text, SHAPE_##shape},
	    REL_OPS(OP_ROW)
#undef OP_ROW
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strlen(ops[i].text) == n && memcmp(ops[i].text, s, n) == 0)
			return ops[i].shape;
	}
	return SHAPE_NONE;
}

/* "startswith oneof" and its like. */
static bool
has_modifier(const char *comp)
{
	const char *blank = strchr(comp, ' ');

	if (!blank || op_shape(comp, (size_t)(blank - comp)) != SHAPE_string)
		return false;
	return strcmp(blank + 1, rel_modifier_text(MODIFIER_ONEOF)) == 0 ||
	       strcmp(blank + 1, rel_modifier_text(MODIFIER_ANYOF)) == 0 ||
	       strcmp(blank + 1, rel_modifier_text(MODIFIER_ALLOF)) == 0;
}

/* Is what stands on its right side a list in parentheses? */
static bool
takes_list(const char *comp)
{
	return op_shape(comp, strlen(comp)) == SHAPE_list || has_modifier(comp);
}

/* -- validation
 * ------------------------------------------------------------------------------- */

static bool
out_of_memory(struct collector *k)
{
	k->result->is_full = true;
	return false;
}

/* Without the blanks around it. */
static bool
trim_comp(struct collector *k, struct exception_entry *comp)
{
	static const char blanks[] = " \t\r\n";
	const char *s = comp->text + strspn(comp->text, blanks);
	size_t n = strlen(s);

	while (n && strchr(blanks, s[n - 1]))
		n--;
	comp->text = arena_strndup(k->c->arena, s, n);
	return comp->text || out_of_memory(k);
}

/* "<expression> exists" compiles: what a field with parentheses has to pass. */
static bool
expression_compiles(
    struct arena *scratch, const struct field_source *source, const char *text)
{
	struct slot_set slots;
	struct regex_list *regexes = NULL;
	struct compiler compiler = {.arena = scratch,
	    .source = source,
	    .slots = &slots,
	    .regexes = &regexes,
	    .use = SLOT_CONDITION};
	const struct ast *ast;
	const struct cond *cond;
	struct ast_pos pos;
	struct err err;
	struct buf check;
	bool ok;

	if (!slot_set_init(&slots, scratch))
		return false;
	buf_init(&check, LIMIT_CONDITION_BYTES);
	buf_addf(&check, "%s exists", text);
	ok = !check.failed &&
	     ast_parse(
		 scratch, check.data, check.len, LIMIT_FORMAT_DEPTH, &ast, &pos, &err) &&
	     cond_compile(&compiler, ast, &cond, &err);
	buf_release(&check);
	regex_list_free(regexes);
	slot_set_release(&slots);
	return ok;
}

static bool
check_field(struct collector *k, const struct field_source *source, const char *text,
    const struct diag_context *context)
{
	struct arena scratch;
	struct field_ref ref;
	struct err err = {0};
	bool known, by_name = !strchr(text, '(');

	arena_init(&scratch, LIMIT_CONDITION_BYTES);
	known = by_name ? field_resolve(source, &scratch, text, strlen(text), NULL, 0,
			      false, &ref, &err)
			: expression_compiles(&scratch, source, text);
	arena_release(&scratch);
	if (known)
		return true;
	/* A field that exists but not with this argument: Falco has no place for that
	 * error. */
	if (by_name && !strstr(err.msg, "nonexistent field")) {
		struct diag_context file = diag_file(k->result->name);
		return load_report(k->result, DIAG_ERR_VALIDATE, &file, "%s", err.msg);
	}
	return load_report(k->result, DIAG_ERR_VALIDATE, context,
	    "'%s' is not a supported filter field", text);
}

static bool
is_given(const struct exception_entry *e)
{
	return e->n || *e->text;
}

bool
exception_default(struct collector *k, struct exception_info *e)
{
	if (!is_given(&e->comps)) {
		e->comps = (struct exception_entry){.is_list = e->fields.is_list,
		    .text = e->fields.is_list ? "" : "in",
		    .n = e->fields.n};
		if (e->fields.is_list) {
			e->comps.item =
			    arena_array(k->c->arena, e->fields.n, sizeof(*e->comps.item));
			if (!e->comps.item)
				return out_of_memory(k);
		}
		for (uint32_t i = 0; i < e->comps.n; i++)
			e->comps.item[i] = (struct exception_entry){.text = "="};
	}
	if (e->fields.is_list && e->fields.n != e->comps.n)
		return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
		    "Fields and comps lists must have equal length");
	return true;
}

static bool
validate_list(
    struct collector *k, const struct field_source *source, struct exception_info *e)
{
	for (uint32_t i = 0; i < e->comps.n; i++) {
		struct exception_entry *comp = &e->comps.item[i];
		if (!trim_comp(k, comp))
			return false;
		if (!op_shape(comp->text, strlen(comp->text)) &&
		    !has_modifier(comp->text))
			return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
			    "'%s' is not a supported comparison operator", comp->text);
	}
	for (uint32_t i = 0; source && i < e->fields.n; i++) {
		if (!check_field(k, source, e->fields.item[i].text, e->context))
			return false;
	}
	return true;
}

bool
exception_validate(
    struct collector *k, const struct field_source *source, struct exception_info *e)
{
	if (!exception_default(k, e))
		return false;
	if (e->fields.is_list)
		return validate_list(k, source, e);
	if (e->comps.is_list)
		return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
		    "Fields and comps must both be strings");
	if (!trim_comp(k, &e->comps))
		return false;
	if (!takes_list(e->comps.text))
		return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
		    "When fields is a single value, comps must be one of (in, pmatch, "
		    "intersects) or a modifier operator (e.g. startswith oneof)");
	return !source || check_field(k, source, e->fields.text, e->context);
}

/* -- expansion
 * -------------------------------------------------------------------------------- */

void
exception_quote(struct buf *out, const char *s)
{
	bool quote = strchr(s, ' ') && *s != '"' && *s != '\'';

	if (quote)
		buf_addc(out, '"');
	buf_adds(out, s);
	if (quote)
		buf_addc(out, '"');
}

/* "(field comp (v1, v2))"; nothing when there are no values. */
static bool
expand_single(struct load_result *result, const struct exception_info *e, struct buf *out)
{
	for (uint32_t i = 0; i < e->n_value; i++) {
		if (e->value[i].is_list)
			return load_report(result, DIAG_ERR_VALIDATE, e->context,
			    "Expected values array to contain a list of strings");
		if (i == 0)
			buf_addf(out, " and not (%s %s (", e->fields.text, e->comps.text);
		else
			buf_adds(out, ", ");
		exception_quote(out, e->value[i].text);
	}
	if (e->n_value)
		buf_adds(out, "))");
	return true;
}

static void
expand_operand(const struct exception_entry *value, const char *comp, struct buf *out)
{
	if (value->is_list) {
		buf_addc(out, '(');
		for (uint32_t i = 0; i < value->n; i++) {
			if (i)
				buf_adds(out, ", ");
			exception_quote(out, value->item[i].text);
		}
		buf_addc(out, ')');
	} else if (!takes_list(comp)) {
		exception_quote(out, value->text);
	} else if (*value->text == '(') {
		buf_adds(out, value->text);
	} else {
		buf_addf(out, "(%s)", value->text);
	}
}

/* "(( f1 op x1 and  f2 op x2) or (…))". */
static bool
expand_tuples(struct load_result *result, const struct exception_info *e, struct buf *out)
{
	for (uint32_t i = 0; i < e->n_value; i++) {
		const struct exception_entry *tuple = &e->value[i];
		if (tuple->n != e->fields.n)
			return load_report(result, DIAG_ERR_VALIDATE, e->context,
			    "Fields and values lists must have equal length");
		buf_adds(out, i ? " or (" : " and not ((");
		for (uint32_t f = 0; f < tuple->n; f++) {
			const char *comp = e->comps.item[f].text;
			buf_addf(out, "%s %s %s ", f ? " and " : "",
			    e->fields.item[f].text, comp);
			expand_operand(&tuple->item[f], comp, out);
		}
		buf_addc(out, ')');
	}
	if (e->n_value)
		buf_addc(out, ')');
	return true;
}

static bool
note_fields(struct arena *arena, const struct exception_info *e, struct text_list *fields)
{
	if (!e->n_value)
		return true;
	if (!e->fields.is_list)
		return text_list_add(arena, fields, e->fields.text);
	for (uint32_t i = 0; i < e->fields.n; i++) {
		if (!text_list_add(arena, fields, e->fields.item[i].text))
			return false;
	}
	return true;
}

bool
exception_expand(struct arena *arena, struct load_result *result,
    const struct rule_info *rule, struct ast_str *ret_condition,
    struct text_list *ret_fields)
{
	struct text_list fields = {0};
	struct ast_str condition = {rule->condition.s, rule->condition.n};
	struct buf out;
	bool ok = true;

	if (!rule->exceptions.n) {
		*ret_condition = condition;
		*ret_fields = fields;
		return true;
	}
	buf_init(&out, LIMIT_CONDITION_BYTES);
	buf_addc(&out, '(');
	buf_add(&out, condition.s, condition.n);
	buf_addc(&out, ')');
	for (uint32_t i = 0; ok && i < rule->exceptions.n; i++) {
		const struct exception_info *e = &rule->exceptions.item[i];
		ok = e->fields.is_list ? expand_tuples(result, e, &out)
				       : expand_single(result, e, &out);
		if (ok && !note_fields(arena, e, &fields)) {
			result->is_full = true;
			ok = false;
		}
	}
	if (ok && out.failed)
		ok = load_report(result, DIAG_ERR_COMPILE_CONDITION, rule->context,
		    "The condition has more than %u bytes after exceptions are put in",
		    LIMIT_CONDITION_BYTES);
	if (ok) {
		condition.s = arena_strndup(arena, out.data, out.len);
		condition.n = out.len;
		result->is_full |= !condition.s;
		ok = condition.s != NULL;
	}
	buf_release(&out);
	if (!ok)
		return false;
	text_list_sort(&fields);
	*ret_condition = condition;
	*ret_fields = fields;
	return true;
}
