/* One key of Freshet under everything that can go wrong: askers that join and cancel, workers that
 * die, stall, fail or hand back, leases that end under them, lost replies, lost messages, and a
 * Redis that crashes and comes back without what it wrote last.
 *
 * An atomic that touches `live` is one Lua script: Redis runs it as a whole. README.md of this
 * folder maps each to its file and method. Time is not modelled: a lease may end at any moment,
 * which covers every clock, and heartbeats only learn whether it did.
 *
 * Budgets (-DNAME=n): how often each trouble may happen. check.sh combines them.
 * Variants that must fail, each without one safeguard:
 *   -DUNFENCED    publish does not look at fence and nonce
 *   -DFENCE_ONLY  publish compares the fence alone, and that comes from the data alone, so that it
 *                 repeats after a crash
 *   -DFORGETFUL   a repeated publication is applied again
 *   -DDEAF        a lost subscription is not noticed
 *   -DUNHELD      a cancelled job's key may be claimed while its source is still ending
 */

#ifndef LOSSES
#define LOSSES   2     /* lost leases in a row until a job is dead; Limits.lostLeases is 3 */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef CRASHES
#define CRASHES  0
#endif
#ifndef RETURNS
#define RETURNS  0     /* hand-backs */
#endif
#ifndef REPEATS
#define REPEATS  0     /* publications whose reply is lost */
#endif
#ifndef DROPS
#define DROPS    0     /* subscriptions that are cut while something happens */
#endif
#ifndef CANCELS
#define CANCELS  0
#endif

#define JOBS 3         /* 0 is none; each of two askers makes one at the most */

/* How a job ended. */
#define OPEN      0
#define SUCCEEDED 1
#define CANCELLED 2
#define DEAD      3

/* What Redis holds: `live` is what scripts see, `disk` what a crash leaves. */
typedef Redis {
    bool waiting;         /* members of the sorted sets: not one variable, so that being in two */
    bool delayed;         /* places at once could happen */
    bool leased;
    byte stopping;        /* nonce of a cancelled claim whose source may still run */
    byte job;             /* its number, under way or dead */
    byte rerun;
    byte attempt;
    byte lost;            /* leases in a row */
    byte fence;
    byte nonce;
    byte version;
    byte settled;         /* nonce of the last publication */
    byte ended[JOBS];
    byte asks;            /* ghost: a bit per asker whose ask was acknowledged */
    byte covers[JOBS];    /* ghost: the asks that were made before the job's load began */
    byte kept_load;       /* ghost: the number of the load that made the payload */
    short published;      /* ghost: a bit per nonce whose publication took effect */
};
Redis live;
Redis disk;

/* Ghosts: no process decides by them. */
byte loads;               /* numbers claims; also the random nonce, which never repeats */
byte jobs;                /* numbers jobs: the microsecond clock of ids, which never repeats */
byte lost_asks;           /* a bit per asker whose ask a crash undid */
byte version_seen;        /* in this history: a crash begins another */

byte running;             /* nonce of the source that runs under a lease that has not run out */

/* Pub/sub: an asker is woken by an event, or because its subscription was cut and stands again. */
bool woken[2];
bool cut[2];

byte returns = RETURNS;
byte repeats = REPEATS;
byte drops = DROPS;
byte cancels = CANCELS;

#define idle (!live.waiting && !live.delayed && !live.leased)

inline check() {
    assert(live.waiting + live.delayed + live.leased <= 1);
    assert(live.version >= version_seen);
    version_seen = live.version
}

/* The event of a job's end. Who does not hear of it is up to the network. */
inline announce() {
    if
    :: woken[0] = true; woken[1] = true
    :: drops > 0 -> drops--; cut[0] = true; woken[1] = true
    :: drops > 0 -> drops--; woken[0] = true; cut[1] = true
    fi
}

/* Ends the job: its rerun has its turn, or the key is idle (a dead job stays to be seen). */
inline finish(how) {
    live.waiting = false; live.delayed = false; live.leased = false;
    live.ended[live.job] = how;
    live.attempt = 0;
    live.lost = 0;
    if
    :: live.rerun != 0 -> live.job = live.rerun; live.rerun = 0; live.waiting = true
    :: live.rerun == 0 && how != DEAD -> live.job = 0
    :: live.rerun == 0 && how == DEAD -> skip
    fi;
    announce()
}

/* The source that ran under this nonce has ended. */
inline source_ended(which) {
    if :: running == which -> running = 0 :: else -> skip fi
}

/* Whether the claim that a worker holds is the live one. */
#define mine (live.leased && live.fence == fence && live.nonce == nonce)

#if defined(UNFENCED)
#define may_publish (true)
#elif defined(FENCE_ONLY)
#define may_publish (live.leased && live.fence == fence)
#else
#define may_publish mine
#endif

proctype Asker(byte me) {
    byte job;
    bool joined_running;

    /* Subscribed and confirmed; now ask, by force or not. */
    atomic {
        /* request */
        if
        :: idle ->
            jobs++; live.job = jobs; job = jobs;
            live.attempt = 0; live.lost = 0;
            live.waiting = true
        :: live.waiting -> job = live.job
        :: live.delayed -> live.delayed = false; live.waiting = true; job = live.job
        :: live.leased -> job = live.job; joined_running = true
        :: live.leased ->
            if :: live.rerun == 0 -> jobs++; live.rerun = jobs :: else -> skip fi;
            job = live.rerun
        fi;
        live.asks = live.asks | (1 << me);
        woken[me] = true;
        check()
    }
    /* Read the state, then wait: for events, and for news of a cut subscription. */
    do
    :: atomic {
        woken[me] -> woken[me] = false;
        if
        :: live.ended[job] != OPEN ->
            /* A load that began after the ask, unless it was told that one was running. */
            assert(live.ended[job] != SUCCEEDED || joined_running ||
                   (live.covers[job] & (1 << me)) || (lost_asks & (1 << me)));
            break
        :: live.ended[job] == OPEN && live.job != job && live.rerun != job ->
            /* Nobody knows the job: only a crash that undid the ask may do that. */
            assert(lost_asks & (1 << me));
            break
        :: else -> skip
        fi }
    :: atomic {
        /* cancel, by the id: the job wherever it is, or the rerun alone */
        cancels > 0 -> cancels--;
        if
        :: job == live.rerun -> live.rerun = 0; live.ended[job] = CANCELLED; announce()
        :: job == live.job && !idle ->
#ifndef UNHELD
            if :: live.leased -> live.stopping = live.nonce :: else -> skip fi;
#endif
            finish(CANCELLED)
        :: else -> skip
        fi;
        check() }
    od;
    job = 0; joined_running = false
}

proctype Worker() {
    byte fence;
    byte nonce;
    byte job;
    byte covers;

#define load nonce      /* both number the claims */
#define forget fence = 0; nonce = 0; job = 0; covers = 0

end_claim:
    atomic {
        /* claim */
        live.waiting && live.stopping == 0 ->
        loads++;
        /* One source at a time, but for those that outlive their lease. */
        assert(running == 0);
        running = loads;
        live.waiting = false; live.leased = true;
        live.attempt++;
        live.fence++;
        live.nonce = loads;
        fence = live.fence; nonce = loads; covers = live.asks; job = live.job;
        check()
    }
working:
    if
    :: atomic {
        /* publish */
        true ->
        if
        :: may_publish ->
            assert(load > live.kept_load);
            assert(!(live.published & (1 << nonce)));
            live.published = live.published | (1 << nonce);
            live.kept_load = load;
            live.version++;
            live.settled = nonce;
            live.covers[job] = covers;
            finish(SUCCEEDED)
#ifdef FORGETFUL
        :: !may_publish && live.settled == nonce ->
            assert(!(live.published & (1 << nonce)));
            live.version++
#endif
        :: else -> skip      /* the same answer as before, or the lease is lost */
        fi;
        check();
        source_ended(nonce);
        if
        :: repeats > 0 -> repeats--; goto working
        :: true -> goto release
        fi }
    :: atomic {
        /* fail */
        true ->
        if
        :: mine && live.attempt < ATTEMPTS ->
            live.leased = false; live.lost = 0; live.delayed = true
        :: mine && live.attempt >= ATTEMPTS -> finish(DEAD)
        :: else -> skip
        fi;
        check();
        source_ended(nonce);
        goto release }
    :: atomic {
        /* hand_back: the attempt does not count */
        returns > 0 -> returns--;
        if
        :: mine -> live.leased = false; live.waiting = true; live.lost = 0; live.attempt--
        :: else -> skip
        fi;
        check();
        source_ended(nonce);
        goto release }
    :: atomic {
        /* heartbeat: told that the lease is lost, and the source is stopped */
        !mine ->
        source_ended(nonce);
        goto release }
    :: atomic {
        /* The worker dies, or leaves a source behind that does not stop: it never speaks under this
           claim again. What it ran counts until the lease has run out. */
        forget; goto end_claim }
    fi;
release:
    atomic {
        /* release: of a cancelled claim; of others it changes nothing. The word may be lost too. */
        if
        :: live.stopping == nonce -> live.stopping = 0
        :: true -> skip
        fi;
        forget; goto end_claim }
}

/* maintain: promotes what is due, reaps what is late. Time passes as it likes. */
proctype Reaper() {
end:
    do
    :: atomic { live.delayed -> live.delayed = false; live.waiting = true; check() }
    :: atomic {
        live.leased ->
        source_ended(live.nonce);
        live.lost++;
        if
        :: live.lost == LOSSES -> finish(DEAD)
        :: else -> live.leased = false; live.waiting = true; live.attempt--
        fi;
        check() }
    :: atomic {
        /* The lease of a cancelled job would have ended. */
        live.stopping != 0 -> source_ended(live.stopping); live.stopping = 0 }
    od
}

/* A subscriber that lost its connection comes back and looks at the state. */
proctype Network() {
end:
    do
#ifndef DEAF
    :: atomic { cut[0] -> cut[0] = false; woken[0] = true }
    :: atomic { cut[1] -> cut[1] = false; woken[1] = true }
#endif
    :: atomic { false -> skip }
    od
}

inline copy(to, from) {
    to.waiting = from.waiting; to.delayed = from.delayed; to.leased = from.leased;
    to.stopping = from.stopping;
    to.job = from.job; to.rerun = from.rerun; to.attempt = from.attempt; to.lost = from.lost;
    to.fence = from.fence; to.nonce = from.nonce; to.version = from.version;
    to.settled = from.settled; to.kept_load = from.kept_load; to.published = from.published;
    to.asks = from.asks;
    to.ended[1] = from.ended[1]; to.covers[1] = from.covers[1];
    to.ended[2] = from.ended[2]; to.covers[2] = from.covers[2]
}

/* One crash, at any moment, that loses everything written since any moment before. */
proctype Disk() {
end_save:
    d_step { copy(disk, live) };
end_crash:
    d_step {
        lost_asks = live.asks & ~disk.asks;
        copy(live, disk);
        version_seen = live.version;
        /* A source of the lost history may run beside one of the new: nothing here knows of it. */
        running = 0;
        /* Every connection was lost with it. */
        cut[0] = false; cut[1] = false; woken[0] = true; woken[1] = true;
        /* Nobody looks at the disk again: fewer states to tell apart. */
        disk.waiting = false; disk.delayed = false; disk.leased = false;
        disk.stopping = 0;
        disk.job = 0; disk.rerun = 0; disk.attempt = 0; disk.lost = 0; disk.fence = 0;
        disk.nonce = 0; disk.version = 0; disk.settled = 0; disk.kept_load = 0;
        disk.published = 0; disk.asks = 0; disk.ended[1] = 0; disk.covers[1] = 0; disk.ended[2] = 0;
        disk.covers[2] = 0
    }
}

init {
    atomic {
        run Asker(0);
        run Asker(1);
        run Worker();
        run Worker();
        run Reaper();
        run Network();
        if :: CRASHES > 0 -> run Disk() :: else -> skip fi
    }
}
