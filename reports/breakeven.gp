# breakeven.csv: x,first,second
set logscale xy
set xlabel XLABEL
set ylabel 'USD per million jobs (log)'
set key top left
set autoscale xfix
if (CROSS_X > 0) {
    set arrow 1 from CROSS_X, graph 0 to CROSS_X, graph 1 nohead lc rgb RED dt 2 lw 1.5
    set label 1 CROSS_TEXT at CROSS_X, graph 0.06 left offset 1,0 textcolor rgb INK
}
plot 'breakeven.csv' using 1:2 with lines lw 3 lc rgb BLUE title FIRST, \
     '' using 1:3 with lines lw 3 lc rgb ORANGE title SECOND
