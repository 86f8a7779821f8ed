// SPDX-License-Identifier: Apache-2.0
//
// A plugin in C++ with what that brings: static constructors, the standard library,
// exceptions, thread-local state, a virtual destructor. To Falco it is as any other;
// an exception that leaves a call ends Falco.
#define _Static_assert static_assert
#define KIT_NAME "cpp"
#define KIT_ID   4310
#define KIT_OWN_init
#define KIT_OWN_destroy
#define KIT_OWN_extract_fields
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "tests/plugins/kit.h"

namespace
{

std::unordered_map<std::string, int> made_by_a_static_constructor = {
    {"one", 1}, {"two", 2}};
thread_local std::string last_text;

class Words
{
      public:
	virtual ~Words() = default;
	virtual std::string of(unsigned long long n) const
	{
		if (n % 3 == 0)
			throw std::out_of_range("a multiple of three");
		return "number " + std::to_string(n);
	}
};

struct State {
	std::unique_ptr<Words> words = std::make_unique<Words>();
	uint64_t number = 0;
	const char *str = nullptr;
};

} // namespace

plugin_state *
plugin_init(const struct plugin_init_input *, int32_t *rc)
{
	*rc =
	    made_by_a_static_constructor.at("two") == 2 ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	return new State;
}

void
plugin_destroy(plugin_state *s)
{
	delete static_cast<State *>(s);
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	auto *s = static_cast<State *>(sv);
	char text[KIT_PAYLOAD + 1];

	kit_payload(event, text, sizeof(text));
	s->number = std::stoull(text);
	try {
		last_text = s->words->of(s->number);
	} catch (const std::exception &e) {
		last_text = std::string("caught: ") + e.what();
	}
	s->str = last_text.c_str();
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		if (in->fields[i].field_id == 0)
			in->fields[i].res.u64 = &s->number;
		else
			in->fields[i].res.str = &s->str;
	}
	return PLUGIN_SUCCESS;
}
