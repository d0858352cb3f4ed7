package export

import (
	"fmt"
	"strings"
)

// Fonts of Type 3 (ISO 32000-1, 9.6.5) draw each character by a procedure of its
// own. Such a font has 255 codes; there are as many of them as are needed.

// perFont is how many characters a font has; code 0 is never used.
const perFont = 255

// type3Code returns the font and the code, in hex, of the nth character that a
// set of fonts has.
func type3Code(set string, n int) (resource, code string) {
	return fmt.Sprintf("%s%d", set, n/perFont), fmt.Sprintf("%02X", n%perFont+1)
}

// type3Fonts writes a set of fonts and returns their entries of the resources.
// draw returns a character's procedure, and the object's number of the picture
// that it knows by the given name; 0 is none.
func type3Fonts(d *pdfDoc, set string, used []pdfGlyph, draw func(u pdfGlyph, name string) (procedure []byte, picture int, err error)) (string, error) {
	var entries strings.Builder
	for first := 0; first < len(used); first += perFont {
		part := used[first:min(first+perFont, len(used))]
		var procedures, pictures, names, widths strings.Builder
		for i, u := range part {
			name := fmt.Sprintf("/P%d", i+1)
			procedure, picture, err := draw(u, name)
			if err != nil {
				return "", err
			}
			if picture > 0 {
				fmt.Fprintf(&pictures, "%s %d 0 R", name, picture)
			}
			fmt.Fprintf(&procedures, "%s %d 0 R", name, d.stream("", procedure))
			names.WriteString(name)
			fmt.Fprintf(&widths, "%d ", u.width)
		}
		toUnicode := d.stream("", toUnicode(append([]pdfGlyph{{}}, part...), 1))
		number := d.object(fmt.Sprintf("<</Type/Font/Subtype/Type3/FontBBox[-200 -300 1300 1200]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<<%s>>/Encoding<</Type/Encoding/Differences[1%s]>>/FirstChar 1/LastChar %d/Widths[%s]/Resources<</XObject<<%s>>>>/ToUnicode %d 0 R>>",
			procedures.String(), names.String(), len(part), widths.String(), pictures.String(), toUnicode))
		fmt.Fprintf(&entries, "/%s%d %d 0 R", set, first/perFont, number)
	}
	return entries.String(), nil
}
