/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that AWS published: those of its test suite for version 4 (key AKIDEXAMPLE, service
 * "service", 2015-08-30), and the examples of the S3 API Reference (bucket examplebucket,
 * 2013-05-24). */
#include <criterion/criterion.h>

#include "codec/hex.h"
#include "crypto/aws_signature.h"

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena, MIB(1));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(aws_signature, .init = set_up, .fini = tear_down);

#define SECRET	   "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define S3_SECRET  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SUITE_TIME 1440938160 /* 20150830T123600Z */
#define S3_TIME	   1369353600 /* 20130524T000000Z */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct aws_key suite_key = { STR_INIT("AKIDEXAMPLE"), STR_INIT(SECRET), STR_NONE };
static const struct aws_key s3_key = { STR_INIT("AKIAIOSFODNN7EXAMPLE"), STR_INIT(S3_SECRET),
				       STR_NONE };

static void assert_signature(const struct aws_key *key, const struct aws_request *rq,
			     const char *want)
{
	str value = aws_authorization(&arena, key, rq), before, have;
	cr_assert(str_cut_last(value, '=', &before, &have));
	cr_assert(str_eq(have, str_from(want)), "%s\nof\n%s", value.ptr,
		  aws_canonical_request(&arena, rq).ptr);
}

static void assert_target(const struct aws_request *rq, const char *want)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	aws_target(&b, rq);
	cr_assert(str_eq(buf_str(&b), str_from(want)), STR_FMT, STR_ARG(buf_str(&b)));
}

struct vector {
	const char *name, *method, *path;
	struct aws_pair query[4], fields[6];
	const char *target, *signature;
};

/* x-amz-date is added to each. */
static const struct vector suite[] = {
	{ "get-vanilla",
	  "GET",
	  "/",
	  { { { 0 } } },
	  { { { 0 } } },
	  "/",
	  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "post-vanilla",
	  "POST",
	  "/",
	  { { { 0 } } },
	  { { { 0 } } },
	  "/",
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "get-vanilla-query-order-key-case",
	  "GET",
	  "/",
	  { { STR_INIT("Param2"), STR_INIT("value2") },
	    { STR_INIT("Param1"), STR_INIT("value1") } },
	  { { { 0 } } },
	  "/?Param1=value1&Param2=value2",
	  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-order-value",
	  "GET",
	  "/",
	  { { STR_INIT("Param1"), STR_INIT("value2") },
	    { STR_INIT("Param1"), STR_INIT("value1") } },
	  { { { 0 } } },
	  "/?Param1=value1&Param1=value2",
	  "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694" },
	{ "get-vanilla-utf8-query",
	  "GET",
	  "/",
	  { { STR_INIT("\xe1\x88\xb4"), STR_INIT("bar") } },
	  { { { 0 } } },
	  "/?%E1%88%B4=bar",
	  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-utf8",
	  "GET",
	  "/\xe1\x88\xb4",
	  { { { 0 } } },
	  { { { 0 } } },
	  "/%E1%88%B4",
	  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-space",
	  "GET",
	  "/example space/",
	  { { { 0 } } },
	  { { { 0 } } },
	  "/example%20space/",
	  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-unreserved",
	  "GET",
	  "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
	  { { { 0 } } },
	  { { { 0 } } },
	  "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
	  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-header-key-duplicate",
	  "GET",
	  "/",
	  { { { 0 } } },
	  { { STR_INIT("My-Header1"), STR_INIT("value2") },
	    { STR_INIT("My-Header1"), STR_INIT("value2") },
	    { STR_INIT("My-Header1"), STR_INIT("value1") } },
	  "/",
	  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-header-value-order",
	  "GET",
	  "/",
	  { { { 0 } } },
	  { { STR_INIT("My-Header1"), STR_INIT("value4") },
	    { STR_INIT("My-Header1"), STR_INIT("value1") },
	    { STR_INIT("My-Header1"), STR_INIT("value3") },
	    { STR_INIT("My-Header1"), STR_INIT("value2") } },
	  "/",
	  "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
	{ "get-header-value-trim",
	  "GET",
	  "/",
	  { { { 0 } } },
	  { { STR_INIT("My-Header1"), STR_INIT(" value1") },
	    { STR_INIT("My-Header2"), STR_INIT(" \"a   b   c\"") } },
	  "/",
	  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-header-key-sort",
	  "POST",
	  "/",
	  { { { 0 } } },
	  { { STR_INIT("My-Header1"), STR_INIT("value1") } },
	  "/",
	  "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
};

static struct aws_request request_of(const struct vector *v, struct aws_pair fields[7])
{
	struct aws_request rq = {
		.method = str_from(v->method),
		.host = STR("example.amazonaws.com"),
		.path = str_from(v->path),
		.query = v->query,
		.fields = fields,
		.payload_hash = STR(EMPTY_HASH),
		.region = STR("us-east-1"),
		.service = STR("service"),
		.time_s = SUITE_TIME,
	};
	while (v->query[rq.query_count].name.len)
		rq.query_count++;
	fields[0] = (struct aws_pair){ STR("X-Amz-Date"), aws_date(&arena, SUITE_TIME) };
	for (rq.field_count = 1; v->fields[rq.field_count - 1].name.len; rq.field_count++)
		fields[rq.field_count] = v->fields[rq.field_count - 1];
	return rq;
}

Test(aws_signature, the_vectors_of_the_suite_come_out)
{
	for (size_t i = 0; i < COUNT_OF(suite); i++) {
		struct aws_pair fields[7];
		struct aws_request rq = request_of(&suite[i], fields);
		assert_target(&rq, suite[i].target);
		assert_signature(&suite_key, &rq, suite[i].signature);
	}
}

Test(aws_signature, the_whole_value_names_scope_and_fields)
{
	struct aws_pair fields[7];
	struct aws_request rq = request_of(&suite[0], fields);
	cr_assert_str_eq(
		aws_authorization(&arena, &suite_key, &rq).ptr,
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=host;x-amz-date, "
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

static struct aws_request s3_request(const char *method, const char *path)
{
	return (struct aws_request){ .method = str_from(method),
				     .host = STR("examplebucket.s3.amazonaws.com"),
				     .path = str_from(path),
				     .payload_hash = STR(EMPTY_HASH),
				     .region = STR("us-east-1"),
				     .service = STR("s3"),
				     .time_s = S3_TIME };
}

Test(aws_signature, a_range_is_got)
{
	const struct aws_pair fields[] = {
		{ STR("Range"), STR("bytes=0-9") },
		{ STR("x-amz-content-sha256"), STR(EMPTY_HASH) },
		{ STR("x-amz-date"), STR("20130524T000000Z") },
	};
	struct aws_request rq = s3_request("GET", "/test.txt");
	rq.fields = fields;
	rq.field_count = COUNT_OF(fields);
	assert_signature(&s3_key, &rq,
			 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

Test(aws_signature, an_object_is_put_and_its_name_escaped)
{
	str body = STR("Welcome to Amazon S3.");
	const struct aws_pair fields[] = {
		{ STR("Date"), STR("Fri, 24 May 2013 00:00:00 GMT") },
		{ STR("x-amz-date"), STR("20130524T000000Z") },
		{ STR("x-amz-storage-class"), STR("REDUCED_REDUNDANCY") },
		{ STR("x-amz-content-sha256"), aws_hash(&arena, body) },
	};
	struct aws_request rq = s3_request("PUT", "/test$file.text");
	rq.fields = fields;
	rq.field_count = COUNT_OF(fields);
	rq.payload_hash = aws_hash(&arena, body);
	assert_target(&rq, "/test%24file.text");
	assert_signature(&s3_key, &rq,
			 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

Test(aws_signature, a_parameter_without_a_value_and_a_list)
{
	const struct aws_pair fields[] = {
		{ STR("x-amz-content-sha256"), STR(EMPTY_HASH) },
		{ STR("x-amz-date"), STR("20130524T000000Z") },
	};
	const struct aws_pair lifecycle[] = { { STR("lifecycle"), STR("") } };
	const struct aws_pair list[] = { { STR("prefix"), STR("J") },
					 { STR("max-keys"), STR("2") } };
	struct aws_request rq = s3_request("GET", "/");
	rq.fields = fields;
	rq.field_count = COUNT_OF(fields);
	rq.query = lifecycle;
	rq.query_count = 1;
	assert_target(&rq, "/?lifecycle=");
	assert_signature(&s3_key, &rq,
			 "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	rq.query = list;
	rq.query_count = 2;
	assert_target(&rq, "/?max-keys=2&prefix=J");
	assert_signature(&s3_key, &rq,
			 "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

Test(aws_signature, a_url_is_presigned)
{
	struct aws_request rq = s3_request("GET", "/test.txt");
	cr_assert_str_eq(
		aws_presigned_target(&arena, &s3_key, &rq, 86400).ptr,
		"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature="
		"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* No vector is published of these; the token is a parameter that is signed like the others. */
Test(aws_signature, a_token_and_what_the_request_asks_for_are_part_of_a_presigned_url)
{
	const struct aws_pair query[] = { { STR("response-content-type"), STR("text/plain") } };
	struct aws_key key = s3_key;
	struct aws_request rq = s3_request("GET", "/a//b/../c");
	rq.query = query;
	rq.query_count = 1;
	str without = aws_presigned_target(&arena, &key, &rq, 60);
	key.session_token = STR("a token/+=");
	str with = aws_presigned_target(&arena, &key, &rq, 60);
	size_t at;
	cr_assert(str_has_prefix(with, STR("/a//b/../c?X-Amz-Algorithm=")),
		  "nothing of a path is taken out");
	cr_assert(str_find(with, STR("&X-Amz-Security-Token=a%20token%2F%2B%3D&"), &at));
	cr_assert(str_find(with, STR("&response-content-type=text%2Fplain&X-Amz-Signature="), &at));
	cr_assert_not(str_eq(str_skip(with, with.len - 64), str_skip(without, without.len - 64)));
}
