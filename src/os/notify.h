/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - telling the service manager how we are (sd_notify(3)), without its library.
 *
 * Without NOTIFY_SOCKET in the environment nothing happens. A message that cannot be sent is lost
 * silently: the manager has its own timeout.
 */
#pragma once

void notify_ready(void);
void notify_stopping(void);
