// SPDX-License-Identifier: GPL-2.0
#include "veth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

#define END_A "ktveth0"
#define END_B "ktveth1"

struct request {
	struct nlmsghdr nh;
	struct ifinfomsg link;
	char attributes[256];
};

static struct rtattr *tail_of(struct request *r)
{
	return (void *)((char *)r + NLMSG_ALIGN(r->nh.nlmsg_len));
}

/* Append an attribute; with no @data it is one that others go into. */
static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t size)
{
	struct rtattr *a = tail_of(r);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	r->nh.nlmsg_len = NLMSG_ALIGN(r->nh.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

/* All that was appended since goes into @a. */
static void end(struct request *r, struct rtattr *a)
{
	a->rta_len = (char *)tail_of(r) - (char *)a;
}

/* Send it and read the kernel's answer. Returns 0 or -errno. */
static int talk(const struct request *r)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr nh;
		struct nlmsgerr err;
		char rest[512];
	} answer;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (send(fd, r, r->nh.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(answer.err)) || answer.nh.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.err.error;
}

/* rtnetlink(7), and drivers/net/veth.c for the peer. */
static int pair_make(void)
{
	struct request r = {
		.nh = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.link)),
		       .nlmsg_type = RTM_NEWLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
	};
	struct ifinfomsg none = {};
	struct rtattr *info, *data, *peer;

	put(&r, IFLA_IFNAME, END_A, sizeof(END_A));
	info = put(&r, IFLA_LINKINFO, NULL, 0);
	put(&r, IFLA_INFO_KIND, "veth", 4);
	data = put(&r, IFLA_INFO_DATA, NULL, 0);
	peer = put(&r, VETH_INFO_PEER, &none, sizeof(none));
	put(&r, IFLA_IFNAME, END_B, sizeof(END_B));
	end(&r, peer);
	end(&r, data);
	end(&r, info);
	return talk(&r);
}

/* Bring @name up. Returns its number or -errno. */
static int interface_up(const char *name)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) || ioctl(fd, SIOCGIFINDEX, &ifr))
		return -errno;
	return ifr.ifr_ifindex;
}

/* IPv6 would send packets of its own. Without the file there is no IPv6. */
static void ipv6_off(void)
{
	_cleanup_close_ int fd =
		open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		return;
}

int veth_open(struct veth *v)
{
	ipv6_off();
	v->is_veth = !pair_make();
	v->ends[0] = interface_up(v->is_veth ? END_A : "lo");
	v->ends[1] = interface_up(v->is_veth ? END_B : "lo");
	return v->ends[0] < 0 ? v->ends[0] : v->ends[1] < 0 ? v->ends[1] : 0;
}

int veth_socket(int index)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(VETH_ETHERTYPE),
		.sll_ifindex = index,
	};
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return take_fd(fd);
}

int veth_send(int fd, int index, const void *buf, int size)
{
	static const unsigned char all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(VETH_ETHERTYPE),
		.sll_ifindex = index,
		.sll_halen = sizeof(all),
	};

	memcpy(to.sll_addr, all, sizeof(all));
	return sendto(fd, buf, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}
