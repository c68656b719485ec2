/** How long an answer asks its client to wait (RFC 9110 section 10.2.3): seconds, or a date in any of the three forms of section 5.6.7. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
const FIXED = /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT`. */
const SHORT_YEAR =
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/;
/** `Sun Nov  6 08:49:37 1994`. */
const ASCTIME = /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/;

/** Longer ones are none of these, whatever they say. */
const LONGEST_VALUE = 40;

/**
 * Milliseconds that a value of Retry-After asks for; 0 for a date that is over, undefined for what is neither seconds nor a date.
 * `now`: milliseconds since 1970.
 */
export function parseRetryAfter(value: string, now: number): number | undefined {
  if (value.length > LONGEST_VALUE) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value, now);
  return date === undefined ? undefined : Math.max(0, date - now);
}

function parseHttpDate(text: string, now: number): number | undefined {
  const found = FIXED.exec(text) ?? SHORT_YEAR.exec(text) ?? ASCTIME.exec(text);
  if (found?.groups === undefined) return undefined;
  const { day, month = "", year = "", time = "" } = found.groups;
  const midnight = new Date(Date.UTC(toYear(year, now), MONTHS.indexOf(month), Number(day)));
  // Date.UTC makes 1 July of 31 June
  const isDate = MONTHS[midnight.getUTCMonth()] === month && midnight.getUTCDate() === Number(day);
  const ofDay = parseTime(time);
  return isDate && ofDay !== undefined ? midnight.getTime() + ofDay : undefined;
}

/** Milliseconds of a day. The second of a leap is the first of the next minute. */
function parseTime(time: string): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
  return hours > 23 || minutes > 59 || seconds > 60 ? undefined : ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** Section 5.6.7: two digits that seem to be more than 50 years ahead stand for the last year with these digits. */
function toYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
