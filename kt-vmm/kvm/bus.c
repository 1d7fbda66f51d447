// SPDX-License-Identifier: GPL-2.0
#include "bus.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int bus_init(struct bus *bus)
{
	pthread_mutexattr_t attr;

	memset(bus, 0, sizeof(*bus));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&bus->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	bus->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return bus->epoll_fd < 0 ? -errno : 0;
}

void bus_destroy(struct bus *bus)
{
	if (bus->epoll_fd >= 0)
		close(bus->epoll_fd);
	pthread_mutex_destroy(&bus->lock);
}

void bus_lock(struct bus *bus)
{
	pthread_mutex_lock(&bus->lock);
}

void bus_unlock(struct bus *bus)
{
	pthread_mutex_unlock(&bus->lock);
}

static struct bus_device **bus_list(struct bus *bus, bool mmio)
{
	return mmio ? &bus->mmio : &bus->ports;
}

int bus_add(struct bus *bus, struct bus_device *d)
{
	struct bus_device **list = bus_list(bus, d->mmio), *other;
	int err = 0;

	if (!d->len || d->base + d->len < d->base)
		return -EINVAL;
	bus_lock(bus);
	for (other = *list; other && !err; other = other->next) {
		if (d->base < other->base + other->len && other->base < d->base + d->len)
			err = -EEXIST;
	}
	if (!err) {
		d->next = *list;
		*list = d;
	}
	bus_unlock(bus);
	return err;
}

void bus_remove(struct bus *bus, struct bus_device *d)
{
	struct bus_device **at;

	bus_lock(bus);
	for (at = bus_list(bus, d->mmio); *at; at = &(*at)->next) {
		if (*at == d) {
			*at = d->next;
			break;
		}
	}
	bus_unlock(bus);
}

/* The list is short, and the devices that are used most were added last. */
static struct bus_device *bus_find(struct bus *bus, bool mmio, uint64_t address, unsigned int len)
{
	struct bus_device *d;

	for (d = *bus_list(bus, mmio); d; d = d->next) {
		if (address >= d->base && address - d->base <= d->len &&
		    d->len - (address - d->base) >= len)
			return d;
	}
	return NULL;
}

void bus_access(struct bus *bus, bool mmio, uint64_t address, void *data, unsigned int len,
		bool write)
{
	struct bus_device *d;
	int err = -ENXIO;

	bus_lock(bus);
	d = bus_find(bus, mmio, address, len);
	if (d && write)
		err = d->write ? d->write(d->dev, address - d->base, data, len) : -ENOSYS;
	else if (d)
		err = d->read ? d->read(d->dev, address - d->base, data, len) : -ENOSYS;
	if (err < 0) {
		bus->unclaimed++;
		if (!write)
			memset(data, 0xff, len);
	}
	bus_unlock(bus);
}

int bus_poll_add(struct bus *bus, struct bus_poll *p)
{
	struct epoll_event e = {.events = p->events, .data.ptr = p};

	if (!p->events)
		return 0;
	return epoll_ctl(bus->epoll_fd, EPOLL_CTL_ADD, p->fd, &e) ? -errno : 0;
}

/* epoll reports a hang-up whatever was asked for, so a descriptor without events leaves the set. */
int bus_poll_set(struct bus *bus, struct bus_poll *p, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = p};
	int op = !p->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (p->events == events)
		return 0;
	p->events = events;
	return epoll_ctl(bus->epoll_fd, op, p->fd, &e) ? -errno : 0;
}

void bus_poll_remove(struct bus *bus, struct bus_poll *p)
{
	bus_poll_set(bus, p, 0);
}

int bus_poll_serve(struct bus *bus)
{
	struct epoll_event e;
	struct bus_poll *p;
	int n = epoll_wait(bus->epoll_fd, &e, 1, -1);

	if (n < 0)
		return -errno;
	p = e.data.ptr;
	bus_lock(bus);
	/* Another thread may have changed its mind since. */
	if (n && p->events)
		p->ready(p->dev, e.events);
	bus_unlock(bus);
	return 0;
}
