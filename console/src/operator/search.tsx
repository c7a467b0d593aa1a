// The search field of operator lists; what is searched for stands in the address.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Input, Label, SearchField } from "react-aria-components";
import { Icon } from "../parts/icon";

export function Search({ label, value }: { label: string; value: string }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = window.setTimeout(() => void navigate({ to: ".", search: typed.trim() ? { q: typed.trim() } : {}, replace: true } as never), 250);
    return () => window.clearTimeout(timer);
  }, [typed, value, navigate]);
  return (
    <div className="filters" role="search" aria-label={label}>
      <SearchField className="input-field" value={typed} onChange={setTyped}>
        <Label className="sr">{label}</Label>
        <span className="input"><Icon name="search" /><Input placeholder={label} maxLength={100} /></span>
      </SearchField>
    </div>
  );
}
