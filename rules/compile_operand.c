/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: fields and transformers, with their type rules. */
#include <string.h>

#include "rules/compile.h"

bool
value_type_is_string(enum value_type type)
{
	return type == VALUE_CHARBUF || type == VALUE_FSPATH || type == VALUE_FSRELPATH;
}

bool
value_type_is_ip(enum value_type type)
{
	return type == VALUE_IPADDR || type == VALUE_IPNET;
}

bool
value_type_is_signed(enum value_type type)
{
	return (type >= VALUE_INT8 && type <= VALUE_INT64) || type == VALUE_PID ||
	       type == VALUE_FD;
}

static struct operand *
operand_new(struct compiler *c, enum operand_kind kind, uint32_t n, struct err *err)
{
	struct operand *o = arena_alloc(c->arena, sizeof(*o));

	if (o && n && !(o->arg = arena_array(c->arena, n, sizeof(*o->arg))))
		o = NULL;
	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->kind = kind;
	o->n = n;
	return o;
}

static bool
compile_field(struct compiler *c, const struct ast *ast, const struct operand **ret,
    struct err *err)
{
	struct field_ref ref;
	struct operand *o = operand_new(c, OPERAND_SLOT, 0, err);

	if (!o || !field_resolve(c->source, c->arena, ast->text.s, ast->text.n,
		      ast->arg.s, ast->arg.n, ast->has_arg, &ref, err))
		return false;
	if (!slot_set_add(c->slots, &ref, c->use, &o->slot, err))
		return false;
	o->field = ref.field;
	o->type = ref.field->type;
	o->list = ref.field->flags & FIELD_LIST;
	*ret = o;
	return true;
}

static bool
literal(struct compiler *c, const struct ast *ast, const struct operand **ret,
    struct err *err)
{
	struct operand *o = operand_new(c, OPERAND_LITERAL, 0, err);

	if (!o)
		return false;
	o->type = VALUE_CHARBUF;
	o->literal = (struct ast_str){
	    arena_strndup(c->arena, ast->text.s, ast->text.n), ast->text.n};
	if (!o->literal.s)
		return err_nomem(err);
	*ret = o;
	return true;
}

/* Any transformer argument. */
static bool
compile_argument(struct compiler *c, const struct ast *ast, const struct operand **ret,
    struct err *err)
{
	if (ast->kind == AST_VALUE)
		return literal(c, ast, ret, err);
	if (ast->kind != AST_TRANSFORMER_LIST)
		return operand_compile(c, ast, false, ret, err);
	struct operand *o = operand_new(c, OPERAND_LIST, ast->n, err);
	if (!o)
		return false;
	o->type = VALUE_CHARBUF;
	o->list = true;
	for (uint32_t i = 0; i < ast->n; i++) {
		if (!compile_argument(c, ast->child[i], &o->arg[i], err))
			return false;
	}
	*ret = o;
	return true;
}

static bool
type_error(const struct operand *in, const char *name, struct err *err)
{
	return err_set(err, ERR_SYNTAX,
	    "can't add field transformer: type '%s' is not supported by '%s' transformer "
	    "applied on %sfield '%s'",
	    value_type_name(in->type), name, in->list ? "list " : "",
	    in->field ? in->field->name : "");
}

static bool
find_unary(const char *name, enum transform *ret)
{
	static const char *const names[] = {
	    "tolower", "toupper", "basename", "b64", "len"};

	for (int i = 0; i < 5; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum transform)i;
			return true;
		}
	}
	return false;
}

static bool
compile_unary(struct compiler *c, const struct ast *ast, const struct operand **ret,
    struct err *err)
{
	const char *name = ast->text.s;
	enum transform t;
	const struct operand *in;

	if (!find_unary(name, &t))
		return err_set(err, ERR_SYNTAX, "unknown field transfomer '%s'", name);
	if (ast->has_arg)
		return err_set(err, ERR_SYNTAX,
		    "filter error: transformer '%s' does not support field arguments",
		    name);
	if (!compile_argument(c, ast->child[0], &in, err))
		return false;
	if (in->field && in->field->flags & FIELD_NO_TRANSFORMER)
		return err_set(err, ERR_SYNTAX,
		    "field '%s' does not support transformers", in->field->name);
	bool ok = value_type_is_string(in->type);
	if (t == TRANSFORM_B64)
		ok = in->type == VALUE_CHARBUF || in->type == VALUE_BYTEBUF;
	if (t == TRANSFORM_LEN)
		ok = ok || in->list || in->type == VALUE_BYTEBUF;
	if (!ok)
		return type_error(in, name, err);
	struct operand *o = operand_new(c, OPERAND_TRANSFORM, 1, err);
	if (!o)
		return false;
	o->transform = t;
	o->arg[0] = in;
	o->field = in->field;
	o->type = t == TRANSFORM_LEN ? VALUE_UINT64 : in->type;
	o->list = t == TRANSFORM_LEN ? false : in->list;
	*ret = o;
	return true;
}

static bool
check_join(const struct operand *o, struct err *err)
{
	if (o->n != 2)
		return err_set(err, ERR_SYNTAX,
		    "join() requires exactly 2 arguments: separator and list");
	if (o->arg[0]->list)
		return err_set(err, ERR_SYNTAX,
		    "join() first argument (separator) must be a single value, not a "
		    "list");
	if (!o->arg[1]->list)
		return err_set(err, ERR_SYNTAX, "join() second argument must be a list");
	return true;
}

static bool
check_concat(const struct operand *o, struct err *err)
{
	if (o->n < 2)
		return err_set(err, ERR_SYNTAX, "concat() requires at least 2 arguments");
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->arg[i]->list || !value_type_is_string(o->arg[i]->type))
			return err_set(
			    err, ERR_SYNTAX, "concat() arguments must be strings");
	}
	return true;
}

static bool
check_getopt(struct operand *o, const struct ast *ast, struct err *err)
{
	if (o->n != 2)
		return err_set(err, ERR_SYNTAX,
		    "getopt() requires exactly 2 arguments: args list and optstring");
	if (!o->arg[0]->list)
		return err_set(err, ERR_SYNTAX, "getopt() first argument must be a list");
	if (o->arg[1]->list)
		return err_set(err, ERR_SYNTAX,
		    "getopt() second argument (optstring) must be a single value");
	if (!value_type_is_string(o->arg[0]->type) ||
	    !value_type_is_string(o->arg[1]->type))
		return err_set(err, ERR_SYNTAX, "getopt() arguments must be strings");
	if (ast->has_arg) {
		if (ast->arg.n != 1)
			return err_set(err, ERR_SYNTAX,
			    "getopt() field argument must be a single option character");
		o->option = ast->arg.s[0];
	}
	o->list = !ast->has_arg;
	return true;
}

static bool
compile_multi(struct compiler *c, const struct ast *ast, const struct operand **ret,
    struct err *err)
{
	const char *name = ast->text.s;
	struct operand *o = operand_new(c, OPERAND_TRANSFORM, ast->n, err);
	bool ok;

	if (!o)
		return false;
	for (uint32_t i = 0; i < ast->n; i++) {
		if (!compile_argument(c, ast->child[i], &o->arg[i], err))
			return false;
		if (!o->field)
			o->field = o->arg[i]->field;
	}
	o->type = VALUE_CHARBUF;
	if (strcmp(name, "getopt") == 0) {
		o->transform = TRANSFORM_GETOPT;
		ok = check_getopt(o, ast, err);
	} else if (strcmp(name, "join") != 0 && strcmp(name, "concat") != 0) {
		return err_set(err, ERR_SYNTAX, "unknown multivalue transformer");
	} else if (ast->has_arg) {
		return err_set(err, ERR_SYNTAX,
		    "transformer '%s' does not support field arguments", name);
	} else if (strcmp(name, "join") == 0) {
		o->transform = TRANSFORM_JOIN;
		ok = check_join(o, err);
	} else {
		o->transform = TRANSFORM_CONCAT;
		ok = check_concat(o, err);
	}
	if (ok)
		*ret = o;
	return ok;
}

bool
operand_compile(struct compiler *c, const struct ast *ast, bool as_rhs,
    const struct operand **ret_operand, struct err *err)
{
	if (ast->kind == AST_FIELD)
		return compile_field(c, ast, ret_operand, err);
	if (as_rhs && strcmp(ast->text.s, "val") == 0)
		return compile_field(c, ast->child[0], ret_operand, err);
	if (ast->n == 1)
		return compile_unary(c, ast, ret_operand, err);
	return compile_multi(c, ast, ret_operand, err);
}
