import { Search } from "lucide-react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/button";
import { Field, Input } from "@/ui/field";

type Form = { user: string; session: string };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const longest = 255;

/** Names a person, a session, or a person's session. Nothing is erased by it. */
export function SubjectForm({ user, session, onFind }: Form & { onFind: (form: Form) => void }) {
  const { t } = useTranslation();
  const { register, handleSubmit, formState, getValues } = useForm<Form>({
    defaultValues: { user, session },
  });
  const submit = handleSubmit((form) => onFind({ user: form.user.trim(), session: form.session.trim() }));
  const { errors } = formState;
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4 p-4 md:p-5">
      <h2 className="font-semibold">{t("erasures.whose")}</h2>
      <Field label={t("erasures.user")} help={t("erasures.user_help")} error={errors.user?.message}>
        {(props) => (
          <Input
            {...props}
            {...register("user", {
              validate: (text) => {
                if (text.trim()) return uuid.test(text.trim()) || t("erasures.user_invalid");
                return getValues("session").trim() !== "" || t("erasures.subject_missing");
              },
            })}
            data-slash
            autoComplete="off"
            spellCheck={false}
            placeholder="00000000-0000-0000-0000-000000000000"
            className="font-mono text-[13px]"
          />
        )}
      </Field>
      <Field label={t("erasures.session")} help={t("erasures.session_help")} error={errors.session?.message}>
        {(props) => (
          <Input
            {...props}
            {...register("session", {
              validate: (text) =>
                [...text.trim()].length <= longest || t("erasures.session_long", { count: longest }),
            })}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-[13px]"
          />
        )}
      </Field>
      <div>
        <Button type="submit" icon={<Search size={15} aria-hidden />}>
          {t("erasures.find")}
        </Button>
      </div>
    </form>
  );
}
