/* SPDX-License-Identifier: Apache-2.0 */
/* Why a sink did not get an alert: LOSS(id, name in metrics, in words). */
/* clang-format off */
LOSS(OUTPUTS_QUEUE_FULL, "queue_full", "the queue was full")
LOSS(OUTPUTS_TOO_LONG,   "too_long",   "longer than alerts may be")
LOSS(OUTPUTS_GIVEN_UP,   "given_up",   "a blocked output was given up")
LOSS(OUTPUTS_FAILED,     "failed",     "the output failed")
LOSS(OUTPUTS_TIMEOUT,    "timeout",    "the server did not answer in time")
LOSS(OUTPUTS_REFUSED,    "refused",    "the server refused it")
LOSS(OUTPUTS_SPOOL,      "spool_full", "the spool was full, or its disk")
LOSS(OUTPUTS_DAMAGED,    "damaged",    "records of the spool were damaged")
/* clang-format on */
