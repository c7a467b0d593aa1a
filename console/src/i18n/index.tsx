// Words, dates and numbers in the person's language. Every text a person reads comes through `t`.
import { IntlMessageFormat } from "intl-messageformat";
import { type ReactNode, createContext, useContext, useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import type { Label } from "../api/client";
import { en } from "./en";

export type Key = keyof typeof en;
export type Language = "en" | "zh-CN";
type Values = Record<string, string | number>;
/** English is always there: its keys are the keys there are. The other catalog comes when it is wanted. */
const CATALOGS: { en: Record<Key, string>; "zh-CN"?: Record<Key, string> } = { en };
export const isKey = (key: string): key is Key => key in en;

async function load(language: Language): Promise<void> {
  if (language === "zh-CN") CATALOGS["zh-CN"] ??= (await import("./zh-CN")).zhCN;
}
const STORED = "countersign-language";
const DAY = 86_400_000;

export type Words = {
  language: Language;
  setLanguage: (language: Language) => void;
  t: (key: Key, values?: Values) => string;
  /** The label of something in the catalog. */
  label: (label: Label | undefined) => string;
  date: (moment: string) => string;
  /** The day and the minute, short enough for a sentence. */
  minute: (moment: string) => string;
  exact: (moment: string) => string;
  relative: (moment: string) => string;
  number: (value: number) => string;
  list: (values: string[]) => string;
};

const Context = createContext<Words | null>(null);

function first(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh-CN") return stored;
  return navigator.languages.some((language) => language.toLowerCase().startsWith("zh")) &&
    !navigator.languages[0]?.toLowerCase().startsWith("en")
    ? "zh-CN"
    : "en";
}

/** To be awaited before the first page is drawn. */
export const wordsReady = () => load(first());

function words(language: Language, setLanguage: Words["setLanguage"]): Words {
  const formats = new Map<Key, IntlMessageFormat>();
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const minute = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
  const number = new Intl.NumberFormat(language);
  const list = new Intl.ListFormat(language, { type: "conjunction" });
  return {
    language,
    setLanguage,
    t(key, values) {
      let format = formats.get(key);
      if (!format) {
        format = new IntlMessageFormat((CATALOGS[language] ?? en)[key], language);
        formats.set(key, format);
      }
      return String(format.format(values));
    },
    label: (label) => (label ? (language === "zh-CN" ? label["zh-CN"] : label.en) : ""),
    date: (moment) => date.format(new Date(moment)),
    minute: (moment) => minute.format(new Date(moment)),
    exact: (moment) => exact.format(new Date(moment)),
    relative(moment) {
      const away = new Date(moment).getTime() - Date.now();
      const size = Math.abs(away);
      if (size >= 30 * DAY) return date.format(new Date(moment));
      if (size >= DAY) return relative.format(Math.round(away / DAY), "day");
      if (size >= 3_600_000) return relative.format(Math.round(away / 3_600_000), "hour");
      if (size >= 60_000) return relative.format(Math.round(away / 60_000), "minute");
      return relative.format(Math.round(away / 1000), "second");
    },
    number: (value) => number.format(value),
    list: (values) => list.format(values),
  };
}

export function WordsProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState<Language>(first);
  const value = useMemo(
    () =>
      words(language, (next) => {
        localStorage.setItem(STORED, next);
        // Without a connection the language stays as it is.
        void load(next).then(() => choose(next), () => undefined);
      }),
    [language],
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <Context value={value}>
      <I18nProvider locale={language === "en" ? "en-US" : "zh-CN"}>{children}</I18nProvider>
    </Context>
  );
}

export function useWords(): Words {
  const value = useContext(Context);
  if (!value) throw new Error("WordsProvider is missing");
  return value;
}
