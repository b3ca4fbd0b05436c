# breakeven.csv: x, dollars of the one, dollars of the other
set logscale xy
if (TICS eq 'bytes') eval 'set xtics '.BYTES
if (TICS eq 'seconds') eval 'set xtics '.SECONDS
eval 'set ytics '.DOLLARS
set xlabel XLABEL
set ylabel 'USD per million jobs'
set key off
set xrange [XLO:XHI]
if (CROSS_X > 0) set arrow 1 from CROSS_X, graph 0 to CROSS_X, graph 1 nohead dt 3 lw 2 lc rgb RED
if (CROSS_X > 0) set label 1 CROSS_TEXT at CROSS_X, graph 0.06 left offset 0.6, 0 textcolor rgb INK
set label 2 FIRST at FIRST_X, FIRST_Y center offset 0, 0.8 textcolor rgb BLUE
set label 3 SECOND at SECOND_X, SECOND_Y right offset -2, 1 textcolor rgb RED
plot 'breakeven.csv' using 1:2 with lines lw 2.5 lc rgb BLUE, \
     '' using 1:3 with lines lw 2.5 lc rgb ORANGE
