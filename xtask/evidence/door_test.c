/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "door.h"

int main(void)
{
    return door_open(8);
}
