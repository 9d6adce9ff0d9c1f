/** Lines on a 16 px grid, in the colour of the text beside them. */
const PATHS = {
  home: 'M2.5 7 8 2.5 13.5 7v6a.5.5 0 0 1-.5.5H9.8V10H6.2v3.5H3a.5.5 0 0 1-.5-.5Z',
  chart: 'M2.5 13.5h11M4.5 11V8M8 11V3.5M11.5 11V6',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01',
  key: 'M6 10.5A3.25 3.25 0 1 0 6 4a3.25 3.25 0 0 0 0 6.5Zm2.9-3.25h5.1v2.25M11.5 7.25V9',
  team: 'M6 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5ZM2 13c.2-2 1.8-3.25 4-3.25S9.8 11 10 13M10.5 3.3a2.2 2.2 0 0 1 0 4M11.7 9.9c1.4.4 2.2 1.5 2.3 3.1',
  user: 'M8 7.5A2.5 2.5 0 1 0 8 2.5a2.5 2.5 0 0 0 0 5ZM3.5 13.5c.2-2.3 2-3.75 4.5-3.75s4.3 1.45 4.5 3.75',
  building:
    'M3.5 13.5v-10a1 1 0 0 1 1-1h5a1 1 0 0 1 1 1v10M10.5 7h1.5a1 1 0 0 1 1 1v5.5M2 13.5h12M6 5.5h2M6 8h2M6 10.5h2',
  tag: 'M2.5 7.5v-5h5l6 6-5 5ZM5.5 5.5h.01',
  model: 'M8 2 13.5 5v6L8 14l-5.5-3V5ZM2.5 5 8 8l5.5-3M8 8v6',
  chat: 'M2.5 3.5h11v7.5H7L4 13.5V11H2.5Z',
  settings: 'M2.5 4.5h5M10.5 4.5h3M2.5 11.5h3M8.5 11.5h5M9 3v3M7 10v3',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  copy: 'M6 5.5h6.5a.5.5 0 0 1 .5.5v6.5a.5.5 0 0 1-.5.5H6a.5.5 0 0 1-.5-.5V6a.5.5 0 0 1 .5-.5ZM3 10.5V3.5A.5.5 0 0 1 3.5 3h7',
  check: 'M3 8.5 6.5 12 13 4.5',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  up: 'M4 9.5 8 5.5l4 4',
  down: 'M4 6.5l4 4 4-4',
  sun: 'M8 10.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7',
  moon: 'M13 9.7A5.5 5.5 0 0 1 6.3 3 5.5 5.5 0 1 0 13 9.7Z',
  warning: 'M8 2.5 14.5 13.5h-13ZM8 6.5v3.25M8 11.6v.01',
  external: 'M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11.5 9.5v4h-9v-9h4',
  refresh: 'M13 3v3.5H9.5M3 13V9.5h3.5M12.7 6.5A5 5 0 0 0 3.6 5.6M3.3 9.5a5 5 0 0 0 9.1.9',
  print: 'M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7Z',
  stop: 'M4 4h8v8H4Z',
  bin: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9M6.8 7v4M9.2 7v4',
  send: 'M8 13V3M4 7l4-4 4 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
