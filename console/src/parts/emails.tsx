// Developer addresses as chips: Enter or a comma adds, Backspace in the empty field goes to the last chip.
import { useRef, useState } from "react";
import { Button as AriaButton, Input, Label, Tag, TagGroup, TagList, Text, TextField } from "react-aria-components";
import type { Told } from "../api/client";
import { useWords } from "../i18n";
import { Icon } from "./icon";

export const EMAILS_MOST = 20;
const LOOKS_LIKE = /^[^\s@]+@[^\s@]+$/;

export function Emails({ value, onChange, error, readOnly, told = [] }: { value: string[]; onChange: (value: string[]) => void; error?: string | undefined; readOnly?: boolean; told?: Told[] }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [own, setOwn] = useState("");
  // What differs from "is told"; a new address has no state yet.
  const state = (email: string) => {
    const found = told.find((row) => row.address.toLowerCase() === email.toLowerCase())?.state;
    return found === "confirmed" ? undefined : found;
  };
  const tags = useRef<HTMLDivElement>(null);
  const add = (text: string): boolean => {
    const parts = text.split(/[,;\s]+/).filter(Boolean);
    const wrong = parts.find((part) => !LOOKS_LIKE.test(part));
    if (wrong) {
      setOwn(t("emails.wrong", { email: wrong }));
      return false;
    }
    const next = [...value];
    for (const part of parts) if (!next.some((held) => held.toLowerCase() === part.toLowerCase())) next.push(part);
    if (next.length > EMAILS_MOST) {
      setOwn(t("emails.most", { most: EMAILS_MOST }));
      return false;
    }
    setOwn("");
    setTyped("");
    onChange(next);
    return true;
  };
  const chips =
    value.length > 0 ? (
      <TagGroup aria-label={t("emails")} {...(readOnly ? {} : { onRemove: (keys: Set<unknown>) => onChange(value.filter((email) => !keys.has(email))) })}>
        <TagList ref={tags} className="tags" items={value.map((email) => ({ id: email }))}>
          {(item) => (
            <Tag id={item.id} textValue={item.id} className={`chip tag ${state(item.id) ?? ""}`}>
              <span>
                {item.id}
                {state(item.id) ? <span className="faint"> · {t(`told.state.${state(item.id) ?? "unconfirmed"}`)}</span> : null}
              </span>
              {readOnly ? null : (
                <AriaButton slot="remove" aria-label={t("emails.remove", { email: item.id })}>
                  <Icon name="cross" />
                </AriaButton>
              )}
            </Tag>
          )}
        </TagList>
      </TagGroup>
    ) : null;
  if (readOnly) {
    return (
      <div className="field">
        <span className="label">{t("emails")}</span>
        {chips ?? <p className="help">{t("none")}</p>}
      </div>
    );
  }
  const wrong = own || error;
  return (
    <TextField
      className="field"
      type="email"
      value={typed}
      onChange={setTyped}
      isInvalid={Boolean(wrong)}
      validationBehavior="aria"
      onBlur={() => typed.trim() && add(typed)}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === ",") {
          if (typed.trim()) {
            event.preventDefault();
            add(typed);
          }
        } else if (event.key === "Backspace" && typed === "" && event.target instanceof HTMLInputElement) {
          tags.current?.querySelector<HTMLElement>("[role=row]:last-child")?.focus();
        }
      }}
    >
      <Label className="label">{t("emails")}</Label>
      {chips}
      <span className="input" data-invalid={wrong ? "" : undefined}>
        <Icon name="mail" />
        <Input placeholder={t("emails.add")} />
      </span>
      <Text slot="description" className={wrong ? "err" : "help"}>
        {wrong || t("emails.help", { count: value.length, most: EMAILS_MOST })}
      </Text>
    </TextField>
  );
}
