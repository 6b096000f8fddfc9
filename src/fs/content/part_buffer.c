#include "part_buffer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* What is taken of the purse at once. */
#define STEP ((size_t)64 << 10)

int part_buffer_init_memory(struct part_buffer *buffer, struct content_room *room, size_t size)
{
	/* not malloc: what that gets back it may keep, and then memory_limit does not hold */
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == MAP_FAILED)
		return -ENOMEM;
	*buffer = (struct part_buffer){.room = room, .size = size, .bytes = bytes};
	return 0;
}

int part_buffer_init(struct part_buffer *buffer, struct content_room *room, size_t size)
{
	struct staging_area area;
	int r;

	if (size <= room->memory->limit / 4)
		return part_buffer_init_memory(buffer, room, size);
	r = staging_area_init(&area, room->staging);
	if (r == 0)
		*buffer = (struct part_buffer){.room = room, .size = size, .area = area};
	return r;
}

void part_buffer_deinit(struct part_buffer *buffer)
{
	if (buffer->bytes)
		munmap(buffer->bytes, buffer->size);
	if (buffer->taken > 0)
		memory_give(buffer->room->memory, buffer->taken);
	staging_area_deinit(&buffer->area);
	*buffer = (struct part_buffer){0};
}

size_t part_buffer_needs(const struct part_buffer *buffer, size_t len)
{
	size_t steps = (len + STEP - 1) / STEP * STEP;
	size_t all = steps < buffer->size ? steps : buffer->size;

	return buffer->bytes && all > buffer->taken ? all - buffer->taken : 0;
}

void part_buffer_took(struct part_buffer *buffer, size_t n)
{
	buffer->taken += n;
}

int part_buffer_in_file(const struct part_buffer *buffer, size_t len,
			struct part_buffer *ret_buffer)
{
	struct part_buffer copy = {.room = buffer->room, .size = buffer->size};
	int r = staging_area_init(&copy.area, buffer->room->staging);

	if (r < 0)
		return r;
	r = staging_write(&copy.area, 0, buffer->bytes, len);
	if (r < 0) {
		part_buffer_deinit(&copy);
		return r;
	}
	*ret_buffer = copy;
	return 0;
}

int part_buffer_write(struct part_buffer *buffer, size_t offset, const void *data, size_t len)
{
	assert(offset + len <= buffer->size);
	if (!buffer->bytes)
		return staging_write(&buffer->area, offset, data, len);
	assert(part_buffer_needs(buffer, offset + len) == 0);
	memcpy(buffer->bytes + offset, data, len);
	return 0;
}

int part_buffer_zero(struct part_buffer *buffer, size_t offset, size_t len)
{
	static const uint8_t zeroes[64 << 10];
	int r = 0;

	assert(offset + len <= buffer->size);
	while (!buffer->bytes && r == 0 && len > 0) {
		size_t n = len < sizeof(zeroes) ? len : sizeof(zeroes);

		r = staging_write(&buffer->area, offset, zeroes, n);
		offset += n;
		len -= n;
	}
	return r;
}

int part_buffer_read(const struct part_buffer *buffer, size_t offset, void *data, size_t len)
{
	assert(offset + len <= buffer->size);
	if (!buffer->bytes)
		return staging_read(&buffer->area, offset, data, len);
	memcpy(data, buffer->bytes + offset, len);
	return 0;
}

int part_buffer_map(const struct part_buffer *buffer, struct call *call, size_t len,
		    const void **ret_data)
{
	assert(len > 0 && len <= buffer->size);
	if (!buffer->bytes)
		return staging_map(&buffer->area, call, len, ret_data);
	*ret_data = buffer->bytes;
	return 0;
}

void part_buffer_unmap(const struct part_buffer *buffer, size_t len, const void *data)
{
	if (!buffer->bytes)
		staging_unmap(&buffer->area, len, data);
}
