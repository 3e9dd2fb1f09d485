/* SPDX-License-Identifier: Apache-2.0 */
/* audit_queue.c - see audit_queue.h. */
#include "audit_queue.h"

#include "base/clock.h"
#include "base/mem.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

/* The strs of an event; the request id stands last, because it does not tell events apart. */
static const size_t texts[] = {
	offsetof(struct audit_event, project),	    offsetof(struct audit_event, resource),
	offsetof(struct audit_event, digest),	    offsetof(struct audit_event, actor_type),
	offsetof(struct audit_event, actor),	    offsetof(struct audit_event, issuer),
	offsetof(struct audit_event, on_behalf_of), offsetof(struct audit_event, token_id),
	offsetof(struct audit_event, address),	    offsetof(struct audit_event, user_agent),
	offsetof(struct audit_event, reason),	    offsetof(struct audit_event, before),
	offsetof(struct audit_event, after),	    offsetof(struct audit_event, request_id),
};
#define TEXTS	    COUNT_OF(texts)
#define TEXTS_ALIKE (TEXTS - 1)

static str text_of(const struct audit_event *event, size_t i)
{
	return *(const str *)(const void *)((const char *)event + texts[i]);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_of(const struct audit_event *event)
{
	uint64_t hash = mix(mix((uint64_t)event->type, (uint64_t)event->project_id),
			    (uint64_t)event->actor_id);
	for (size_t i = 0; i < TEXTS_ALIKE; i++) {
		str text = text_of(event, i);
		if (text.len)
			hash = mix(hash + i, str_hash(text));
	}
	return hash;
}

static bool is_alike(const struct audit_event *a, const struct audit_event *b)
{
	if (a->type != b->type || a->tenant_id != b->tenant_id || a->project_id != b->project_id ||
	    a->actor_id != b->actor_id || a->result != b->result || a->status != b->status)
		return false;
	for (size_t i = 0; i < TEXTS_ALIKE; i++)
		if (!str_eq(text_of(a, i), text_of(b, i)))
			return false;
	return true;
}

static struct audit_note *find(struct audit_queue *queue, const struct audit_event *event,
			       uint64_t hash)
{
	struct audit_note *note = queue->buckets[hash % AUDIT_QUEUE_BUCKETS];
	while (note && (note->hash != hash || !is_alike(&note->event, event)))
		note = note->colliding;
	return note;
}

static size_t size_of(const struct audit_event *event)
{
	size_t size = sizeof(struct audit_note);
	for (size_t i = 0; i < TEXTS; i++)
		size += text_of(event, i).len;
	return size;
}

static struct audit_note *copy(const struct audit_event *event, size_t size)
{
	struct audit_note *note = mem_new(size);
	note->size_bytes = size;
	note->event = *event;
	char *at = (char *)(note + 1);
	for (size_t i = 0; i < TEXTS; i++) {
		str text = text_of(event, i);
		if (text.len)
			memcpy(at, text.ptr, text.len);
		*(str *)(void *)((char *)&note->event + texts[i]) = (str){ at, text.len };
		at += text.len;
	}
	return note;
}

static void append(struct audit_queue *queue, const struct audit_event *event, uint64_t hash,
		   size_t size)
{
	struct audit_note *note = copy(event, size);
	struct audit_note **bucket = &queue->buckets[hash % AUDIT_QUEUE_BUCKETS];
	note->hash = hash;
	note->colliding = *bucket;
	*bucket = note;
	*queue->last = note;
	queue->last = &note->next;
	queue->bytes += size;
}

bool audit_queue_put(struct audit_queue *queue, const struct audit_event *event)
{
	struct audit_event complete = *event;
	complete.count = event->count ? event->count : 1;
	complete.time_us = event->time_us ? event->time_us : clock_wall_us();
	uint64_t hash = hash_of(event);
	size_t size = size_of(event);

	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&queue->lock);
	queue->noted += (uint64_t)complete.count;
	struct audit_note *note = find(queue, event, hash);
	if (note) {
		note->event.count += complete.count;
		note->last_us = complete.time_us;
		return false;
	}
	if (size > queue->bytes_max - MIN(queue->bytes, queue->bytes_max)) {
		queue->dropped += (uint64_t)complete.count;
		return true;
	}
	append(queue, &complete, hash, size);
	return queue->bytes > queue->bytes_max / 2;
}

struct audit_note *audit_queue_take(struct audit_queue *queue)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&queue->lock);
	struct audit_note *first = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	if (first)
		memset(queue->buckets, 0, sizeof queue->buckets);
	return first;
}

void audit_queue_release(struct audit_queue *queue, struct audit_note *note)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&queue->lock);
	queue->bytes -= note->size_bytes;
	free(note);
}

void audit_queue_init(struct audit_queue *queue, size_t bytes_max)
{
	*queue = (struct audit_queue){ .bytes_max = bytes_max };
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
}

void audit_queue_done(struct audit_queue *queue)
{
	for (struct audit_note *note = audit_queue_take(queue), *next; note; note = next) {
		next = note->next;
		audit_queue_release(queue, note);
	}
	pthread_mutex_destroy(&queue->lock);
}
