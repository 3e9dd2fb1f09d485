/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of S3 servers become values; what is no such answer is refused with a reason. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/s3_answer.h"

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena, MIB(8));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(s3_answer, .init = set_up, .fini = tear_down);

static struct s3_answer parse(const char *xml)
{
	struct s3_answer answer;
	str problem = STR_NONE;
	cr_assert(s3_answer_parse(&arena, str_from(xml), &answer, &problem), STR_FMT,
		  STR_ARG(problem));
	return answer;
}

static void refuse(str xml, const char *want)
{
	struct s3_answer answer;
	str problem = STR_NONE;
	cr_assert_not(s3_answer_parse(&arena, xml, &answer, &problem));
	cr_assert(want == NULL || str_eq(problem, str_from(want)), STR_FMT, STR_ARG(problem));
	cr_assert_gt(problem.len, 0);
}

#define ASSERT_STR(have, want) cr_assert(str_eq((have), STR(want)), STR_FMT, STR_ARG(have))

Test(s3_answer, a_list_of_objects)
{
	struct s3_answer a = parse(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<Name>b</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
		"<NextContinuationToken>1ueGc=</NextContinuationToken>"
		"<Contents><Key>a&amp;b</Key><Size>12</Size><ETag>&quot;x&quot;</ETag>"
		"<Owner><ID>Key</ID><Key>no</Key></Owner></Contents>\n"
		"<Contents><Key>c</Key><Size>0</Size></Contents></ListBucketResult>");
	ASSERT_STR(a.root, "ListBucketResult");
	ASSERT_STR(a.truncated, "true");
	ASSERT_STR(a.encoding, "url");
	ASSERT_STR(a.next_token, "1ueGc=");
	cr_assert_eq(a.item_count, 2);
	ASSERT_STR(a.items[0].key, "a&b");
	ASSERT_STR(a.items[0].size, "12");
	ASSERT_STR(a.items[0].etag, "\"x\"");
	ASSERT_STR(a.items[1].key, "c");
	cr_assert_eq(a.items[1].etag.len, 0);
}

Test(s3_answer, an_upload_and_lists_of_uploads_and_parts)
{
	struct s3_answer a = parse(
		"<s3:InitiateMultipartUploadResult xmlns:s3='x'><s3:UploadId>2~x</s3:UploadId>"
		"</s3:InitiateMultipartUploadResult>");
	ASSERT_STR(a.root, "InitiateMultipartUploadResult");
	ASSERT_STR(a.upload_id, "2~x");
	a = parse(
		"<ListMultipartUploadsResult><NextKeyMarker>k</"
		"NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>"
		"<Upload><Key>k</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>");
	ASSERT_STR(a.next_key, "k");
	ASSERT_STR(a.next_upload_id, "u");
	ASSERT_STR(a.items[0].key, "k");
	ASSERT_STR(a.items[0].upload_id, "u");
	cr_assert_eq(a.upload_id.len, 0);
	a = parse("<ListPartsResult><UploadId>u</UploadId><NextPartNumberMarker>3</"
		  "NextPartNumberMarker>"
		  "<Part><PartNumber>3</PartNumber><Size>5</Size></Part></ListPartsResult>");
	ASSERT_STR(a.next_part, "3");
	ASSERT_STR(a.items[0].part_number, "3");
}

Test(s3_answer, errors)
{
	struct s3_answer a = parse(
		"<Error><Code>PermanentRedirect</Code><Message>Use <![CDATA[another]]></Message>"
		"<Endpoint>b.s3.eu-west-1.example</Endpoint><Region>eu-west-1</Region></Error>");
	ASSERT_STR(a.root, "Error");
	ASSERT_STR(a.code, "PermanentRedirect");
	ASSERT_STR(a.message, "Use another");
	ASSERT_STR(a.region, "eu-west-1");
	ASSERT_STR(a.endpoint, "b.s3.eu-west-1.example");
	a = parse("<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</"
		  "Key><Code>AccessDenied</Code>"
		  "<Message>No</Message></Error></DeleteResult>");
	cr_assert_eq(a.item_count, 1);
	ASSERT_STR(a.items[0].key, "b");
	ASSERT_STR(a.items[0].code, "AccessDenied");
	cr_assert_eq(a.code.len, 0);
}

Test(s3_answer, what_is_none_is_refused)
{
	refuse(STR(""), NULL);
	refuse(STR("<html><br></html>"), NULL);
	refuse(STR("<Error><Code>a</Code>"), NULL);
	refuse(STR("<a/><b/>"), NULL);
	refuse(STR("<a>\0</a>"), NULL);
	refuse(STR("<a>\xff</a>"), NULL);
	refuse(STR("<a>&unknown;</a>"), NULL);
	refuse(STR("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"), "a document type");
	refuse(STR("<!DOCTYPE html><a/>"), "a document type");
}

static str repeated(const char *before, const char *piece, size_t count, const char *after)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(8));
	buf_add(&b, str_from(before));
	for (size_t i = 0; i < count; i++)
		buf_add(&b, str_from(piece));
	buf_add(&b, str_from(after));
	cr_assert_not(buf_overrun(&b));
	return arena_copy(&arena, buf_str(&b));
}

Test(s3_answer, everything_has_a_limit)
{
	refuse(repeated("", "<a>", S3_ANSWER_DEPTH_MAX + 1, ""), "too deep");
	refuse(repeated("<a>", "<Part/>", S3_ANSWER_ITEMS_MAX + 1, "</a>"), "too many items");
	cr_assert_eq(parse(repeated("<a>", "<Part/>", S3_ANSWER_ITEMS_MAX, "</a>").ptr).item_count,
		     S3_ANSWER_ITEMS_MAX);
	refuse(repeated("<a><Code>", "x", S3_ANSWER_TEXT_MAX + 1, "</Code></a>"), "text too long");
	cr_assert_eq(
		parse(repeated("<a><Code>", "x", S3_ANSWER_TEXT_MAX, "</Code></a>").ptr).code.len,
		S3_ANSWER_TEXT_MAX);
	cr_assert_eq(
		parse(repeated("<a><b>", "x", 2 * S3_ANSWER_TEXT_MAX, "</b></a>").ptr).code.len, 0);
	refuse(repeated("<a><", "x", 300, "/></a>"), "names too long");
	refuse(repeated("<a>", " ", S3_ANSWER_BYTES_MAX, "</a>"), NULL);

	CLEANUP(arena_done) struct arena small;
	arena_init(&small, KIB(8));
	struct s3_answer answer;
	str problem;
	cr_assert_not(s3_answer_parse(&small, repeated("<a>", "<Part/>", 1000, "</a>"), &answer,
				      &problem));
	ASSERT_STR(problem, "too large");
}

Test(s3_answer, text_is_escaped)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	s3_xml_escape(&b, STR("a<b>&\"c'"));
	ASSERT_STR(buf_str(&b), "a&lt;b&gt;&amp;&quot;c'");
}
