/* scale_replay.c - what the rule decides for observations that a live run has printed: a line
 * "TARGET_S SLOTS MIN MAX WAITING RUNNING JOB_S BOXES DEAF" in, "WANTED LAUNCH" out. */
#include "fleet/scale/scale.h"

#include <math.h>
#include <stdio.h>

int main(void)
{
    struct scale_policy p = {.boot_s = SCALE_BOOT_S, .hour_usd_max = HUGE_VAL};
    struct scale_seen seen;
    struct scale_decision d;
    long long slots, least, most, waiting, running, boxes, deaf;
    while (scanf("%lf %lld %lld %lld %lld %lld %lf %lld %lld", &p.target_s, &slots,
                 &least, &most, &waiting, &running, &seen.job_s, &boxes, &deaf) == 9) {
        p.slots = slots;
        p.boxes_min = least;
        p.boxes_max = most;
        seen.waiting = waiting;
        seen.running = running;
        seen.boxes = boxes;
        seen.deaf = deaf;
        scale_decide(&p, &seen, &d);
        printf("%lld %lld\n", (long long)d.wanted, (long long)d.launch);
    }
    return 0;
}
