/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - picks the subcommand. */
int main(void)
{
	return 0;
}
