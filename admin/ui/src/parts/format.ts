// Numbers and times as people read them, in the language and the zone of the browser; days are the server's, UTC.

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const SECOND = { hour: 'numeric', minute: '2-digit', second: '2-digit' } as const;
const DAY = { month: 'short', day: 'numeric' } as const;
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  ...DAY,
  ...SECOND,
  timeZoneName: 'short',
});
const thisYear = new Intl.DateTimeFormat(undefined, { ...DAY, ...SECOND });
const otherYear = new Intl.DateTimeFormat(undefined, { year: 'numeric', ...DAY, ...SECOND });
const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const dayShort = new Intl.DateTimeFormat(undefined, { ...DAY, timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' });

const dollars = (least: number, most = least) => {
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: least,
    maximumFractionDigits: most,
  });
  return (value: number) => format.format(value);
};

const [cents, mills, micros] = [dollars(2), dollars(2, 3), dollars(2, 6)];
const MICRO = 1e-6;

/** Dollars. Small amounts keep as many digits as it takes to tell them from nothing. */
export function money(value: number): string {
  const size = Math.abs(value);
  if (size >= 1 || size === 0) return cents(value);
  if (size >= 0.01) return mills(value);
  return size < MICRO / 2 ? `< ${micros(MICRO)}` : micros(value);
}

/** To the last digit that is booked: a billionth of a dollar. */
export function exactMoney(dollars: number): string {
  return `$${dollars.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 9 })}`;
}

/** Amounts of one column, all with the same digits: as many as matter beside the largest of them. */
export function moneyColumn(all: number[]): (value: number) => string {
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const digits = largest >= 100 ? 2 : largest >= 1 ? 4 : 6;
  const [tell, least] = [dollars(digits), 10 ** -digits];
  return (value) => (value !== 0 && Math.abs(value) < least / 2 ? `< ${tell(least)}` : tell(value));
}

/** The same to the last digit that any of them is booked with: what stands on a bill can be added up by hand. */
export function exactColumn(all: number[]): (value: number) => string {
  const needed = (value: number) => 9 - (/0*$/.exec(`${Math.round(value * NANO)}`)?.[0].length ?? 0);
  const digits = all.filter((value) => value !== 0).reduce((most, value) => Math.max(most, needed(value)), 2);
  return dollars(Math.min(digits, 9));
}

const NANO = 1_000_000_000;

/** A sum without the digits that adding in binary makes up: amounts are whole billionths of a dollar. */
export const addMoney = (one: number, other: number) =>
  (Math.round(one * NANO) + Math.round(other * NANO)) / NANO;

/** A price per token, told per million tokens as price lists do. */
export function perMillion(price: number | null | undefined): string {
  return price === null || price === undefined ? '–' : money(price * 1_000_000);
}

/** The same of a price that may be for something else: for `per` of it. */
export function priceOf({ label, price, per }: { label: string; price: number; per: number }): string {
  if (per !== 1) return `${exactMoney(price)} a second`;
  return ONCE.has(label) ? exactMoney(price) : `${money(price * 1_000_000)} a million`;
}

const ONCE = new Set(['searches']);

export const count = (value: number) => plain.format(value);
export const compact = (value: number) => (value < 10_000 ? plain.format(value) : short.format(value));
export const percent = (part: number, whole: number) => (whole === 0 ? '–' : percentage.format(part / whole));

export function milliseconds(value: number): string {
  if (value === 0) return 'under 1 ms';
  if (value < 1) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

/** The same of what may not be known. */
export const mean = (value: number | undefined) => (value === undefined ? '–' : milliseconds(value));

/** Milliseconds between two moments of the server, which tells microseconds that `Date` drops. */
export function between(from: string, until: string): number {
  const micros = (text: string) =>
    Number((/\.(\d{1,6})/.exec(text)?.[1] ?? '0').padEnd(6, '0').slice(3)) / 1000;
  return Date.parse(until) - Date.parse(from) + micros(until) - micros(from);
}

/** Exactly when, with the zone that it is told in. */
export const moment = (text: string) => dayAndTime.format(new Date(text));

/** The time of day; with its date when that is another one. The zone is `zone()`. */
export function stamp(text: string): string {
  const [at, now] = [new Date(text), new Date()];
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return (at.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(at);
}

/** The zone of the browser, as a clock's. */
export const zone = () =>
  dayAndTime.formatToParts(new Date()).find((part) => part.type === 'timeZoneName')?.value ?? 'local time';

export const day = (text: string) => dayOnly.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
export const shortDay = (text: string) => dayShort.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
  ['month', 12],
  ['year', Number.POSITIVE_INFINITY],
];

export function ago(text: string, now = Date.now()): string {
  let amount = (Date.parse(text) - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return text;
}

export function iso(date: Date): string {
  return date.toISOString().slice(0, 10);
}

export function daysAgo(days: number): string {
  return iso(new Date(Date.now() - days * 86_400_000));
}

export const sentence = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** Ids are long: what tells them apart is at both ends. */
export const shortId = (id: string) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id);
