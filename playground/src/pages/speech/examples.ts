/** Texts to begin with, by language. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  en: [
    "The tide turns at seven. By then we should be past the lighthouse, with the wind behind us.",
    "Good morning, you have reached the harbour office. How can I help you today?",
    "Your order, 4 loaves at $3.50 each, will be ready on 12 May at 9:30 a.m.",
  ],
  de: ["Guten Morgen, hier ist das Hafenbüro. Womit kann ich Ihnen helfen?"],
  es: ["Buenos días, oficina del puerto. ¿En qué puedo ayudarle?"],
  fr: ["Bonjour, la capitainerie à votre écoute. Que puis-je faire pour vous ?"],
  it: ["Buongiorno, qui l'ufficio del porto. Come posso aiutarla?"],
  ja: ["おはようございます。港の事務所です。ご用件をどうぞ。"],
  nl: ["Goedemorgen, met het havenkantoor. Waarmee kan ik u helpen?"],
  pl: ["Dzień dobry, biuro portu. W czym mogę pomóc?"],
  pt: ["Bom dia, daqui fala o escritório do porto. Em que posso ajudar?"],
  sv: ["God morgon, det är hamnkontoret. Vad kan jag hjälpa till med?"],
  zh: ["早上好，这里是港口办公室。请问有什么可以帮您？"],
};

/** Those of a language; English where there are none. */
export function examplesFor(language: string | undefined): readonly string[] {
  return EXAMPLES[language ?? "en"] ?? EXAMPLES.en ?? [];
}
