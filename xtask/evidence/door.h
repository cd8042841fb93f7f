/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DOOR_H
#define DOOR_H

/* Whether the door opens for who knows this number. */
int door_open(int guess);

#endif
