package refusal

import (
	"strings"
	"unicode"
)

// Bounds of what is read of one text.
const (
	longestText = 1000 // in bytes
	longestWord = 64
	mostWords   = 150
)

// pause stands between two clauses.
const pause = "|"

// spelledOut makes one spelling of several: "isn't" is "is not", and a "sign-in" is a noun.
var spelledOut = strings.NewReplacer("n't", " not", "n’t", " not", " n'", " not ", " n’", " not ", "cannot", "can not",
	"sign-in", "signin", "Sign-in", "signin", "log-in", "login", "Log-in", "login")

// wordsOf are the words of a text or of a code in lower case, with a pause wherever one clause ends. The parts of
// camelCase, snake_case and squeezed words are words of their own.
func wordsOf(text string) []string {
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "")
	}
	text = joined(spelledOut.Replace(text))
	var words []string
	for chunk := range strings.FieldsSeq(withoutURLs(text)) {
		ends := strings.ContainsAny(chunk[len(chunk)-1:], ".;:!?|") || strings.Contains(chunk, "://")
		words = append(words, runs(chunk)...)
		if ends {
			words = append(words, pause)
		}
		if len(words) > mostWords {
			break
		}
	}
	words = inEnglish(words[:min(len(words), mostWords)])
	return words[:min(len(words), mostWords)]
}

// withoutURLs leaves out the paths and URLs in a text: their words say nothing. A text that is nothing but one may be
// a code.
func withoutURLs(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	chunks := strings.Fields(text)
	for i, chunk := range chunks {
		bare := strings.Trim(chunk, `"'().,:;`+"`")
		slashes := strings.Count(bare, "/")
		if len(chunks) > 1 && (strings.HasPrefix(bare, "/") || slashes > 1) {
			chunks[i] = "url" + chunk[len(chunk)-1:]
		}
	}
	if len(chunks) == 1 && strings.HasPrefix(text, "/") {
		return ""
	}
	if len(chunks) == 1 && strings.Contains(text, "://") {
		return text[strings.LastIndexByte(text, '/')+1:] // the type of a problem (RFC 9457)
	}
	return strings.Join(chunks, " ")
}

// runs are the runs of letters and digits in a chunk, in lower case and cut where camelCase has a joint. What separates
// clauses within a chunk is a pause.
func runs(chunk string) []string {
	var found []string
	begin, previous := -1, rune(0)
	letters := []rune(chunk)
	cut := func(end int) {
		if begin >= 0 && end > begin {
			if run := string(letters[begin:end]); unspaced(letters[begin]) {
				found = append(found, scanned(run)...)
			} else {
				found = append(found, strings.ToLower(run))
			}
		}
		begin = -1
	}
	for i, r := range letters {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			if strings.ContainsRune(",;=<>。，、；：！？", r) && i+1 < len(letters) {
				found = append(found, pause)
			}
		case begin < 0:
			begin = i
		case unspaced(r) != unspaced(previous):
			cut(i)
			begin = i
		case unicode.IsUpper(r) && (unicode.IsLower(previous) || unicode.IsUpper(previous) && lowerAt(letters, i+1)):
			cut(i)
			begin = i
		}
		previous = r
	}
	cut(len(letters))
	return found
}

// lowerAt reports whether letters[i] is a lower-case letter: in "JWTExpired" the E is where a word begins.
func lowerAt(letters []rune, i int) bool { return i < len(letters) && unicode.IsLower(letters[i]) }

// segmented are the known words that a word without joints consists of, or the word itself.
func segmented(word string) []string {
	if len(word) > longestWord {
		return nil
	}
	if len(word) < 6 || known(word) {
		return []string{word}
	}
	if parts := split(word, 5); parts != nil {
		return parts
	}
	if head, ok := strings.CutSuffix(word, "token"); ok {
		if meant := translations().look(head); meant != nil {
			head = meant[0]
		}
		return []string{head, "token"}
	}
	return []string{word}
}

func known(word string) bool {
	return segments()[word] || deadWords.has(word) || liveWords.has(word) || otherNouns.has(word) || otherTokens.has(word) ||
		weakQualifiers.has(word)
}

// split is word as at most so many segments, the longest first; nil if that is impossible.
func split(word string, most int) []string {
	if word == "" {
		return []string{}
	}
	for end := len(word); end > 1 && most > 0; end-- {
		if !segments()[word[:end]] {
			continue
		}
		if rest := split(word[end:], most-1); rest != nil {
			return append([]string{word[:end]}, rest...)
		}
	}
	return nil
}

// phrase reports whether words contain one of the phrases, of which each is words separated by spaces.
func phrase(words []string, phrases ...string) bool {
	text := spaced(words)
	for _, p := range phrases {
		if strings.Contains(text, " "+p+" ") {
			return true
		}
	}
	return false
}

// spaced is the text of words in which phrases are looked for: each stands between spaces.
func spaced(words []string) string { return " " + strings.Join(words, " ") + " " }
