// How long stories last: as long as it takes to be sure, or, with CHAOS_SCHEDULE=short, as long as every change can wait for.

const isShort = process.env.CHAOS_SCHEDULE === 'short';

/** Whichever belongs to this run. */
export const schedule = ({ full, short }) => (isShort ? short : full);
