/* SPDX-License-Identifier: GPL-2.0 */
/* kt-snapshot's commands: each takes its own arguments, argv[0] being its name. */
#ifndef KT_SNAPSHOT_COMMANDS_H
#define KT_SNAPSHOT_COMMANDS_H

/* Each returns the program's exit status. */
int command_btf(int argc, char **argv);
int command_capture(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_get(int argc, char **argv);
int command_monitor(int argc, char **argv);
int command_print(int argc, char **argv);
int command_read(int argc, char **argv);
int command_set(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_symbol(int argc, char **argv);
int command_vmcore(int argc, char **argv);
int command_watchdog(int argc, char **argv);

#endif
