// SPDX-License-Identifier: GPL-2.0
/* The virtio console with three ports instead of kt-vmm's one. */
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../guests/abuse.h"
#include "../guests/vconsole.h"
#include "kvm/virtio_console.h"
#include "rig.h"

#define PORTS 3

/* A port as its driver has it: the queues are its own, those for control are all ports'. */
struct own_port {
	struct vconsole c;
	int host;
};

/* Have the control queues where @p can use them, and take them back. */
static bool port_open(struct own_port *p, struct own_port *first, uint32_t id)
{
	bool right;
	unsigned int i;

	if (p != first) {
		p->c = (struct vconsole){.d = first->c.d};
		vqueue_begin(&p->c.in, &p->c.d, 2 * (id + 1));
		vqueue_begin(&p->c.out, &p->c.d, 2 * (id + 1) + 1);
		for (i = 0; i < p->c.in.size; i++) {
			vqueue_desc(&p->c.in, i, vqueue_buffer(&p->c.in, i), QUEUE_BUFFER,
				    VRING_DESC_F_WRITE, 0);
			vqueue_offer(&p->c.in, i);
		}
		vqueue_kick(&p->c.in);
		p->c.control_in = first->c.control_in;
		p->c.control_out = first->c.control_out;
	}
	right = vconsole_open(&p->c, id);
	first->c.control_in = p->c.control_in;
	first->c.control_out = p->c.control_out;
	return right;
}

/* Does @text get from the guest to the host's end of @p, and back? */
static bool echoes(struct own_port *p, const char *text)
{
	char got[64] = "", back[64] = "";
	uint32_t len = 0;
	ssize_t n;

	if (!vconsole_send(&p->c, text, strlen(text)))
		return false;
	n = recv(p->host, got, sizeof(got), MSG_DONTWAIT);
	if (n != (ssize_t)strlen(text) || memcmp(got, text, n))
		return false;
	send(p->host, got, n, 0);
	rig_serve();
	return vconsole_receive(&p->c, back, sizeof(back), &len) && len == n &&
	       !memcmp(back, text, n);
}

/* Has neither end of @p got anything? */
static bool is_quiet(const struct own_port *p)
{
	char c;

	return recv(p->host, &c, 1, MSG_DONTWAIT) < 0 &&
	       *(uint16_t *)(ram(p->c.in.device + 2)) == p->c.in.seen;
}

void test_console_ports(struct rig *r)
{
	static const char *const names[PORTS] = {"kt", "second", "third"};
	struct console_port ports[PORTS];
	struct own_port p[PORTS] = {0};
	unsigned int i, opened = 0, echoed = 0;
	uint16_t event, value;
	int pair[2];
	uint32_t id;

	rig_open(r, -1);
	for (i = 0; i < PORTS; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			return check(false, "a pair of sockets");
		p[i].host = pair[0];
		ports[i] = (struct console_port){names[i], pair[1]};
	}
	check(!rig_console_ports(ports, PORTS), "a console of three ports is made");
	for (i = 0; i < PORTS; i++)
		close(ports[i].fd);
	check(vconsole_begin(&p[0].c, VCONSOLE_FEATURES) && mmio_in(p[0].c.d.config + 4, 4) == 4,
	      "it has room for four, 0 being nobody's");
	for (i = 0; i < PORTS; i++)
		opened += port_open(&p[i], &p[0], i + 1) && !strcmp(p[i].c.name, names[i]);
	check(opened == PORTS, "each is added, named as it was to be, and open");
	check(echoes(&p[1], "by the second") && is_quiet(&p[0]) && is_quiet(&p[2]),
	      "what goes over one port is nothing to the others");
	for (i = 0; i < PORTS; i++)
		echoed += echoes(&p[i], names[i]);
	check(echoed == PORTS, "all carry data both ways");
	close(p[1].host);
	rig_serve();
	check(vconsole_hear(&p[0].c, &id, &event, &value) && id == 2 &&
		      event == VIRTIO_CONSOLE_PORT_OPEN && !value,
	      "the hang-up of one is told by its number");
	check(echoes(&p[0], "still") && echoes(&p[2], "here"), "and the others go on");
	close(p[0].host);
	close(p[2].host);
	check(rig_console_ports(ports, CONSOLE_MAX_PORTS + 1) < 0,
	      "more ports than 31 are refused");
	check(!rig_console_ports(NULL, 0), "none is a console, too");
}
