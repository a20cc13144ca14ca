// How long stories last: as long as it takes to be sure, or, by the short schedule, as long as every change can wait for.

const isShort = process.env.CHAOS_SCHEDULE === 'short';

/** Whichever belongs to this run. */
export const schedule = ({ full, short }) => (isShort ? short : full);
