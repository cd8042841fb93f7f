/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "door.h"

int main(int argc, char **argv)
{
    (void)argv;
    return door_open(argc) ? 0 : 1;
}
