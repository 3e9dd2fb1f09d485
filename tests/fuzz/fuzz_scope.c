/* SPDX-License-Identifier: Apache-2.0 */
/* A scope that parses formats to a scope of the same meaning, and fits a challenge header. */
#include "base/error.h"
#include "codec/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_scope(const struct scope *scope)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1)), second = BUF_INIT(MIB(1));
	struct scope again;
	scope_format(&b, scope);
	CHECK(!buf_overrun(&b) && !str_has_byte(buf_str(&b), '"') &&
	      !str_has_byte(buf_str(&b), ' '));
	CHECK(scope_parse(buf_str(&b), &again));
	CHECK(str_eq(again.type, scope->type) && str_eq(again.class, scope->class) &&
	      str_eq(again.name, scope->name) && again.actions == scope->actions);
	scope_format(&second, &again);
	CHECK(str_eq(buf_str(&b), buf_str(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str list = { (const char *)bytes, MIN(len, KIB(64)) }, text;
	while (scope_next(&list, &text)) {
		struct scope scope;
		CHECK(text.len && !str_has_byte(text, ' '));
		if (scope_parse(text, &scope))
			check_scope(&scope);
	}
	return 0;
}
