/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "door.h"

int door_open(int guess)
{
    return guess == 7;
}
