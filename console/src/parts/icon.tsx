// The glyphs, drawn on 16 x 16. They repeat what a word beside them says, so screen readers skip them.
const PATHS = {
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  globe: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3.2l2 1.3",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  mail: "M2.5 3.5h11v9h-11zM2.5 4.5L8 9l5.5-4.5",
  send: "M14 2L2 6.8l4.6 2.200zM14 2L9.200 14l-2.600-5zM14 2L6.600 9",
  shield: "M8 2l5 1.800V8c0 3-2.200 5-5 6-2.800-1-5-3-5-6V3.800zM5.800 8l1.600 1.600L10.300 6.500",
  gear: "M8 5.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400M8 1.800v1.700M8 12.500v1.700M1.800 8h1.700M12.500 8h1.700M3.600 3.600l1.200 1.200M11.200 11.200l1.200 1.200M3.600 12.400l1.200-1.200M11.200 4.800l1.200-1.200",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2",
  copy: "M6 5.5h6.5a1 1 0 0 1 1 1V13a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V6.5a1 1 0 0 1 1-1M3 10.5H2.5v-8H10V3",
  reset: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3h-3",
  power: "M8 2v5.5M4.6 4.2a5 5 0 1 0 6.8 0",
  bin: "M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.6 9h5.8l.6-9M7 7v4M9 7v4",
  retired: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 3.8l8.4 8.4",
  layers: "M8 2.5l6 3-6 3-6-3zM2 8.5l6 3 6-3",
  check: "M3 8.5l3.2 3L13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  page: "M3 2.5h10v11H3zM5.5 5.5h5M5.5 8h5M5.5 10.5h3",
  key: "M5 8.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M6.8 9.2l6.7-6.7M10.5 5.5l2 2",
  bars: "M2.5 13.5V10M6 13.5V6M9.5 13.5V9M13 13.5v-11",
  pulse: "M1.5 8h3l2-5 3 10 2-5h3",
  person: "M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M3 13.5c0-2.5 2-4 5-4s5 1.5 5 4",
  people:
    "M6 3a2.3 2.3 0 1 0 0 4.6A2.3 2.3 0 0 0 6 3M1.5 13c0-2.3 1.8-3.6 4.5-3.6s4.5 1.3 4.5 3.6M10.5 3.2a2.3 2.3 0 0 1 0 4.2M12.3 9.7c1.4.5 2.2 1.6 2.2 3.3",
  bolt: "M9 1.5L3.5 9H8l-1 5.5L12.5 7H8z",
  warn: "M8 2.5L14.5 13.500h-13zM8 6.500v3.500M8 11.800h.01",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.500a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500L7.500 13a2.800 2.800 0 0 1-4-4L5 7.500",
  door: "M6 2.500h7v11H6M2.500 8h7M7 5.500L9.500 8 7 10.500",
} as const;
export type IconName = keyof typeof PATHS | "dot";

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={name === "dots" ? "ico dots" : "ico"} viewBox="0 0 16 16" aria-hidden="true">
      {name === "dot" ? <circle cx="8" cy="8" r="4" fill="currentColor" stroke="none" /> : <path d={PATHS[name]} />}
    </svg>
  );
}

export function Mark() {
  return (
    <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M4 12.5 8.5 17 20 5.5" />
        <path d="M4 6.5 8.5 11 14 5.5M13.5 18.5l6.5-6.5" opacity=".42" />
      </g>
    </svg>
  );
}
