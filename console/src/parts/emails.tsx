// Developer addresses as chips: Enter or a comma adds, Backspace in the empty field goes to the last chip.
import { useRef, useState } from "react";
import { Button as AriaButton, Input, Label, Tag, TagGroup, TagList, Text, TextField } from "react-aria-components";
import { useWords } from "../i18n";
import { Icon } from "./icon";

export const EMAILS_MOST = 20;
const LOOKS_LIKE = /^[^\s@]+@[^\s@]+$/;

export function Emails({ value, onChange, error }: { value: string[]; onChange: (value: string[]) => void; error?: string | undefined }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [own, setOwn] = useState("");
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
  return (
    <div className="field">
      {value.length > 0 ? (
        <TagGroup
          aria-label={t("emails")}
          onRemove={(keys) => onChange(value.filter((email) => !keys.has(email)))}
        >
          <TagList ref={tags} className="tags" items={value.map((email) => ({ id: email }))}>
            {(item) => (
              <Tag id={item.id} textValue={item.id} className="chip tag">
                {item.id}
                <AriaButton slot="remove" aria-label={t("emails.remove", { email: item.id })}>
                  <Icon name="cross" />
                </AriaButton>
              </Tag>
            )}
          </TagList>
        </TagGroup>
      ) : null}
      <TextField
        className="field"
        type="email"
        value={typed}
        onChange={setTyped}
        onBlur={() => typed.trim() && add(typed)}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === ",") {
            if (typed.trim()) {
              event.preventDefault();
              add(typed);
            }
          } else if (event.key === "Backspace" && typed === "") {
            tags.current?.querySelector<HTMLElement>("[role=row]:last-child")?.focus();
          }
        }}
      >
        <Label className="label">{t("emails")}</Label>
        <span className="input" data-invalid={own || error ? "" : undefined}>
          <Icon name="mail" />
          <Input placeholder={t("emails.add")} />
        </span>
        <Text slot="description" className={own || error ? "err" : "help"}>
          {own || error || t("emails.help", { count: value.length, most: EMAILS_MOST })}
        </Text>
      </TextField>
    </div>
  );
}
